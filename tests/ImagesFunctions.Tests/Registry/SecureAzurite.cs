using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Azure.Core;
using Azure.Core.Pipeline;
using ImagesFunctions.Local;
using ImagesFunctions.Storage;
using Microsoft.Extensions.Configuration;

namespace ImagesFunctions.Tests.Registry;

/// <summary>An Azurite that speaks TLS and knows no key of ours, only identities, as a storage account in Azure does.</summary>
public sealed class SecureAzurite : IAsyncDisposable
{
    private const string Certificate = "cert.pem";

    private readonly string _folder;
    private readonly Process _process;
    private readonly X509Certificate2 _certificate;
    private readonly AzuritePorts _ports;

    private SecureAzurite(string folder, Process process, X509Certificate2 certificate, AzuritePorts ports)
    {
        _folder = folder;
        _process = process;
        _certificate = certificate;
        _ports = ports;
        BlobService = new Uri(Address(ports.Blob));
        TableService = new Uri(Address(ports.Table));
        QueueService = new Uri(Address(ports.Queue));
        Http = new HttpClient(SelfSigned.Trusting(certificate));
        Storage = StorageAccount.From(
            new ConfigurationBuilder()
                .AddInMemoryCollection([
                    new($"{StorageAccount.Section}:blobServiceUri", Address(ports.Blob)),
                    new($"{StorageAccount.Section}:tableServiceUri", Address(ports.Table)),
                ])
                .Build(),
            policies: null,
            new Identity(),
            SelfSigned.Trusting(certificate)
        );
    }

    /// <summary>The account, as an identity sees it.</summary>
    public StorageAccount Storage { get; }

    /// <summary>A client that trusts its certificate and shows no identity.</summary>
    public HttpClient Http { get; }

    public Uri BlobService { get; }

    public Uri TableService { get; }

    public Uri QueueService { get; }

    /// <summary>The file of the certificate, for another process to trust.</summary>
    public string CertificateFile => Path.Combine(_folder, Certificate);

    /// <summary>A network of a client that trusts its certificate.</summary>
    internal SocketsHttpHandler Network() => SelfSigned.Trusting(_certificate);

    private static ProcessStartInfo Start(string folder, string[] arguments)
    {
        var start = new ProcessStartInfo(
            "node",
            [
                "--import=data:text/javascript,process.stdin.on('end',()=>process.exit()).resume()",
                .. arguments,
                "--silent",
                "--disableTelemetry",
                "--oauth",
                "basic",
            ]
        )
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // The key that everybody knows is no key of this one.
        start.Environment["AZURITE_ACCOUNTS"] =
            $"devstoreaccount1:{Convert.ToBase64String(RandomNumberGenerator.GetBytes(64))}";
        // It fetches from itself what it is told to copy.
        start.Environment["NODE_EXTRA_CA_CERTS"] = Path.Combine(folder, Certificate);
        return start;
    }

    /// <param name="onDisk">For what is too large for memory.</param>
    /// <param name="create">With containers and tables.</param>
    public static async Task<SecureAzurite> StartAsync(bool onDisk = false, bool create = true)
    {
        var stop = TestContext.Current.CancellationToken;
        var folder = Directory.CreateTempSubdirectory("azurite").FullName;
        var certificate = SelfSigned.Certificate();
        var (pem, key) = (Path.Combine(folder, Certificate), Path.Combine(folder, "key.pem"));
        await File.WriteAllTextAsync(pem, certificate.ExportCertificatePem(), stop);
        using (var secret = certificate.GetRSAPrivateKey()!)
        {
            await File.WriteAllTextAsync(key, secret.ExportPkcs8PrivateKeyPem(), stop);
        }

        var script = await AzuriteInstall.EnsureAsync(Places.AzuritePackage, TextWriter.Null, stop);
        var ports = AzuritePorts.Free();
        string[] storage = onDisk ? ["--location", folder] : ["--inMemoryPersistence"];
        string[] arguments = [script, .. storage, "--cert", pem, "--key", key, .. ports.Arguments];
        var process = Process.Start(Start(folder, arguments))!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var azurite = new SecureAzurite(folder, process, certificate, ports);
        await Until.TrueAsync(
            azurite.AnswersAsync,
            () => Task.FromResult("Azurite does not answer."),
            TimeSpan.FromMinutes(2)
        );
        if (create)
        {
            await azurite.Storage.CreateAsync(stop);
        }

        return azurite;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        _certificate.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            foreach (var port in new[] { _ports.Blob, _ports.Queue, _ports.Table })
            {
                (await Http.GetAsync(new Uri(Address(port)), TestContext.Current.CancellationToken)).Dispose();
            }

            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private static string Address(int port) => $"https://127.0.0.1:{port}/devstoreaccount1";

    // Azurite reads what a token says and does not ask who has signed it.
    internal sealed class Identity : TokenCredential
    {
        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            var now = DateTimeOffset.UtcNow;
            var expires = now.AddHours(1);
            var claims =
                $$"""{"aud":"https://storage.azure.com","iss":"https://sts.windows.net/ab1f708d-50f6-404c-a006-d71b2ac7a606/","nbf":{{now.AddMinutes(-5).ToUnixTimeSeconds()}},"iat":{{now.AddMinutes(-5).ToUnixTimeSeconds()}},"exp":{{expires.ToUnixTimeSeconds()}},"oid":"23657296-5cd5-45b0-a809-d972a7f4dfe1","tid":"ab1f708d-50f6-404c-a006-d71b2ac7a606"}""";
            return new AccessToken($"{Part("""{"alg":"RS256","typ":"JWT"}""")}.{Part(claims)}.c2lnbmF0dXJl", expires);
        }

        public override ValueTask<AccessToken> GetTokenAsync(
            TokenRequestContext requestContext,
            CancellationToken cancellationToken
        ) => ValueTask.FromResult(GetToken(requestContext, cancellationToken));

        private static string Part(string json) =>
            Convert.ToBase64String(Encoding.UTF8.GetBytes(json)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
    }
}
