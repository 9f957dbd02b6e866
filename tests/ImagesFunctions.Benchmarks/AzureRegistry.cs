using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Benchmarks;

/// <summary>
/// CNCF distribution on an Azurite, by its azure driver. The driver speaks TLS only, and its SDK reaches an emulator under one address
/// only: the account <c>devstoreaccount1</c> at 127.0.0.1:10000. So it gets an Azurite with a certificate there.
/// <para>
/// The SDK sends the type of the blob with each block that it appends. Azure goes by <c>comp=appendblock</c>; Azurite 3.37 finds two
/// operations that fit equally well and takes the first one, which makes an empty blob. <see cref="Preload"/> makes the other one fit better.
/// </para>
/// </summary>
internal sealed class AzureRegistry : IAsyncDisposable
{
    /// <summary>How its column is measured, for the document.</summary>
    public const string How =
        "over TLS, which its azure driver insists on, to an Azurite of its own on port 10000, which the driver's SDK insists on. Its redirects of pulls are off, as ours are. Azurite takes the blocks that the driver appends for new blobs, so its choice of the operation is corrected when it starts. The program is that of `AZURE_REGISTRY`, as Debian's is built without the driver.";

    private const int Port = 10000;

    // Names the program; Debian's is built without the driver.
    private const string Variable = "AZURE_REGISTRY";

    // Counts the condition `comp` twice. It ends with this process.
    private const string Preload = """
        import { createRequire } from 'node:module';

        const require = createRequire(process.argv[1]);
        const operation = require('./blob/generated/artifacts/operation.js').default;
        const specifications = require('./blob/generated/artifacts/specifications.js').default;
        const query = specifications[operation.AppendBlob_AppendBlock].queryParameters;
        query.push(query.find(parameter => parameter.mapper.serializedName === 'comp'));
        process.stdin.on('end', () => process.exit()).resume();
        """;

    private readonly string _folder;
    private Process? _azurite;
    private Server? _server;

    private AzureRegistry(string folder) => _folder = folder;

    public Server Server => _server ?? throw new InvalidOperationException("It was not started.");

    private static string Program => Environment.GetEnvironmentVariable(Variable) ?? "docker-registry";

    /// <summary>Why it cannot be run here, as the end of a sentence, or null.</summary>
    public static async Task<string?> MissingAsync(Bench bench)
    {
        // Without the names that the driver needs: it says so and ends, if it is there at all.
        var config = Path.Combine(bench.Folder, "azure-driver.yml");
        await File.WriteAllTextAsync(config, Config("container: images", "127.0.0.1:0"), bench.Stop);
        var tried = await Cli.Wrap(Program)
            .WithArguments(["serve", config])
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(bench.Stop);
        if (!tried.StandardError.Contains("accountname", StringComparison.Ordinal))
        {
            return $"because `{Path.GetFileName(Program)}` was built without the azure driver, as Debian's is; `{Variable}` may name another program.";
        }

        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, Port);
            listener.Start();
            return null;
        }
        catch (SocketException)
        {
            return $"because port {Port}, which the SDK of its azure driver insists on, was taken.";
        }
    }

    public static async Task<AzureRegistry> StartAsync(Bench bench)
    {
        var registry = new AzureRegistry(Directory.CreateTempSubdirectory("azure-registry-").FullName);
        try
        {
            await registry.StartAzuriteAsync(bench.Stop);
            await registry.StartServerAsync(bench);
            return registry;
        }
        catch
        {
            await registry.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }

        if (_azurite is not null)
        {
            _azurite.Kill(entireProcessTree: true);
            await _azurite.WaitForExitAsync(CancellationToken.None);
            _azurite.Dispose();
        }

        Directory.Delete(_folder, recursive: true);
    }

    private static string Config(string azure, string address) =>
        $$"""
            version: 0.1
            log: { level: error, accesslog: { disabled: true } }
            storage:
              cache: { blobdescriptor: inmemory }
              redirect: { disable: true }
              azure: { {{azure}} }
            http: { addr: "{{address}}" }
            """;

    private string Certificate => Path.Combine(_folder, "cert.pem");

    private async Task StartAzuriteAsync(CancellationToken stop)
    {
        var key = Path.Combine(_folder, "key.pem");
        using (var certificate = SelfSigned.Certificate())
        using (var secret = certificate.GetRSAPrivateKey()!)
        {
            await File.WriteAllTextAsync(Certificate, certificate.ExportCertificatePem(), stop);
            await File.WriteAllTextAsync(key, secret.ExportPkcs8PrivateKeyPem(), stop);
        }

        _azurite = Process.Start(await AzuriteAsync(key, stop))!;
        _azurite.BeginOutputReadLine();
        _azurite.BeginErrorReadLine();
        var deadline = Stopwatch.StartNew();
        while (!await ListensAsync(stop))
        {
            if (_azurite.HasExited || deadline.Elapsed > Azurite.StartDeadline)
            {
                throw new InvalidOperationException($"Azurite does not listen on port {Port}.");
            }

            await Task.Delay(20, stop);
        }
    }

    private async Task<ProcessStartInfo> AzuriteAsync(string key, CancellationToken stop)
    {
        var preload = Path.Combine(_folder, "preload.mjs");
        await File.WriteAllTextAsync(preload, Preload, stop);
        var script = await AzuriteInstall.EnsureAsync(Places.AzuritePackage, TextWriter.Null, stop);
        var start = new ProcessStartInfo(
            "node",
            [
                $"--import={preload}",
                script,
                "--silent",
                "--disableTelemetry",
                "--inMemoryPersistence",
                // The SDK is from 2018.
                "--skipApiVersionCheck",
                "--cert",
                Certificate,
                "--key",
                key,
                .. (AzuritePorts.Free() with { Blob = Port }).Arguments,
            ]
        )
        {
            WorkingDirectory = _folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        // It fetches from itself what it is told to copy.
        start.Environment["NODE_EXTRA_CA_CERTS"] = Certificate;
        return start;
    }

    private static async Task<bool> ListensAsync(CancellationToken stop)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(IPAddress.Loopback, Port, stop);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private async Task StartServerAsync(Bench bench)
    {
        var address = Server.Free();
        var file = Path.Combine(_folder, "config.yml");
        var account = AzuritePorts
            .Standard.ConnectionString.Split(';')
            .Select(part => part.Split('=', 2))
            .Where(part => part.Length == 2)
            .ToDictionary(part => part[0], part => part[1], StringComparer.Ordinal);
        var azure =
            $"accountname: {account["AccountName"]}, accountkey: \"{account["AccountKey"]}\", container: registry";
        await File.WriteAllTextAsync(file, Config(azure, address.Authority), bench.Stop);
        var start = new ProcessStartInfo(Program, ["serve", file]);
        start.Environment["SSL_CERT_FILE"] = Certificate;
        _server = await Server.StartAsync(start, address, "v2/", bench.Stop);
    }
}
