using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Azure.Core;
using ImagesFunctions.Accounts;
using ImagesFunctions.Local;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.RealImages;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Local;

/// <summary>
/// <c>serve</c> on an account in the cloud, for which an Azurite stands that speaks TLS and takes identities only: the
/// identity is that of <c>az</c>, and the program does nothing by itself.
/// </summary>
[TakesLong(seconds: 30)]
public sealed class GatewayTests
{
    private const string Account = "alice";
    private const long MaxGrowth = 200L * 1024 * 1024;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public Task A_layer_of_64_MiB_is_pushed_with_an_identity_over_TLS_and_is_not_held_in_memory() => PushAsync(64);

    [LongFact]
    public Task A_layer_of_5_GiB_is_pushed_with_an_identity_over_TLS_and_is_not_held_in_memory() => PushAsync(5 * 1024);

    // A layout that nobody takes in.
    private static async Task DroppedAsync(SecureAzurite azurite)
    {
        foreach (var (path, bytes) in Layout.Small("dropped", "v1").Files)
        {
            await azurite
                .Storage.Images.GetBlobClient($"{Account}/dropped/{path}")
                .UploadAsync(new BinaryData(bytes), Stop);
        }
    }

    private static Task<string> CopyAsync(string layout, Uri gateway, string token) =>
        Tool.RunAsync(
            TimeSpan.FromMinutes(30),
            "skopeo",
            "copy",
            "--dest-tls-verify=false",
            "--dest-creds",
            $"{Account}:{token}",
            // Else it packs a layer that is not packed.
            "--preserve-digests",
            $"oci:{layout}:v1",
            $"docker://{gateway.Authority}/{Account}/large:v1"
        );

    private static async Task PushAsync(int mebibytes)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The peak of a process's memory is read from /proc");
        using var folder = new TemporaryFolder();
        var (layer, manifest) = Write(folder, mebibytes);
        await using var azurite = await SecureAzurite.StartAsync(onDisk: true);
        using var az = new FakeAz();
        await DroppedAsync(azurite);
        var token = await new Tokens(azurite.Storage).CreateAsync(Account, null, Stop);
        await using var gateway = await LocalProgram.ServeAsync("", Settings(azurite, az.Path));
        var before = PeakOf(gateway);
        var clock = TimeProvider.System.GetTimestamp();

        await CopyAsync(folder.File("image"), gateway.Address, token.Text);

        var pushed = TimeProvider.System.GetElapsedTime(clock);
        using var client = new HttpClient { BaseAddress = gateway.Address, Timeout = TimeSpan.FromMinutes(5) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token.Text);
        Assert.Equal(layer, await PulledAsync(client, $"v2/{Account}/large/blobs/{layer}"));
        var growth = PeakOf(gateway) - before;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{mebibytes} MiB pushed in {pushed.TotalSeconds:F1} s, pulled in {TimeProvider.System.GetElapsedTime(clock).TotalSeconds - pushed.TotalSeconds:F1} s; peak {before >> 20} MiB before, {growth >> 20} MiB more"
        );
        Assert.InRange(growth, 0, MaxGrowth);

        var listed = await ListedAsync(client);
        // The layout that was dropped is for the function app to take in, and nobody has asked for the sample.
        var image = Assert.Single(listed);
        Assert.Equal($"{Account}/large@{manifest}", image["digest"]!.GetValue<string>());
        Assert.True(image["size_in_bytes"]!.GetValue<long>() >= (long)mebibytes << 20);
        Assert.Contains($"as a gateway to {azurite.BlobService}/", gateway.Said, StringComparison.Ordinal);
        Assert.NotEmpty(az.Calls);
        Assert.All(az.Calls, call => Assert.Contains("https://storage.azure.com", call, StringComparison.Ordinal));
        var sample = $"{SampleImage.Repository}/index.json";
        Assert.False(await azurite.Storage.Images.GetBlobClient(sample).ExistsAsync(Stop));
    }

    [Fact]
    public async Task Where_nobody_is_signed_in_one_line_says_what_to_do()
    {
        await using var azurite = await SecureAzurite.StartAsync();
        using var az = new FakeAz(isSignedIn: false);

        Assert.Contains("az login", await RefusedAsync(Settings(azurite, az.Path)), StringComparison.Ordinal);
        Assert.NotEmpty(az.Calls);
    }

    [Fact]
    public async Task A_certificate_that_is_not_trusted_is_refused()
    {
        await using var azurite = await SecureAzurite.StartAsync();
        using var az = new FakeAz();
        var settings = Settings(azurite, az.Path).Where(setting => setting.Name != "SSL_CERT_FILE");

        Assert.Contains("certificate", await RefusedAsync([.. settings]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_account_without_containers_is_refused_and_gets_none()
    {
        await using var azurite = await SecureAzurite.StartAsync(create: false);
        using var az = new FakeAz();

        var line = await RefusedAsync(Settings(azurite, az.Path));

        Assert.Contains($"{azurite.BlobService}/ has no container images", line, StringComparison.Ordinal);
        Assert.False(await azurite.Storage.Images.ExistsAsync(Stop));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_that_starts_is_asked_whether_it_is_ready_and_ends_has_only_read(bool isGateway)
    {
        var calls = new StorageCalls();
        var methods = new ConcurrentQueue<RequestMethod>();
        calls.Before = (_, message) =>
        {
            methods.Enqueue(message.Request.Method);
            return ValueTask.CompletedTask;
        };
        var configuration = Operation.OwnHost.Settings((StorageAccount.Section, await Storages.NewWithTablesAsync()));
        var app = LocalHost.Build(
            connectionString: null,
            "http://127.0.0.1:0",
            services => services.AddSingleton(StorageAccount.From(configuration, [calls])),
            isGateway
        );
        await app.StartAsync(Stop);
        using var client = new HttpClient { BaseAddress = app.Address() };
        (await client.GetAsync(new Uri("/readyz", UriKind.Relative), Stop)).EnsureSuccessStatusCode();
        await app.StopAsync(Stop);
        await app.DisposeAsync();

        Assert.NotEmpty(methods);
        // The other kind shows that this would be seen.
        Assert.Equal(isGateway, methods.All(method => method == RequestMethod.Get || method == RequestMethod.Head));
    }

    [Fact]
    public async Task An_emulator_has_a_gateway_where_that_is_asked_for_and_nothing_is_put_into_it()
    {
        var connection = await Storages.NewWithTablesAsync();

        await using var program = LocalProgram.Start(
            connection,
            ["serve", "--gateway", "--urls", "http://127.0.0.1:0"]
        );
        await Until.TrueAsync(
            () => Task.FromResult(program.Said.Contains("Ctrl+C", StringComparison.Ordinal)),
            () => Task.FromResult(program.Said),
            TimeSpan.FromMinutes(2)
        );

        Assert.Contains("as a gateway to", program.Said, StringComparison.Ordinal);
        await using var node = new Node(connection);
        Assert.Equal(StoreHolds.Nothing, await FreshStore.LookAsync(node.Storage, Stop));
    }

    private static (string Name, string Value)[] Settings(SecureAzurite azurite, string path) =>
        [
            ($"{StorageAccount.Section}__blobServiceUri", azurite.BlobService.ToString()),
            ($"{StorageAccount.Section}__tableServiceUri", azurite.TableService.ToString()),
            ("PATH", path),
            ("SSL_CERT_FILE", azurite.CertificateFile),
        ];

    /// <summary>The one line behind that of the store, with which it ends.</summary>
    private static async Task<string> RefusedAsync((string Name, string Value)[] settings)
    {
        await using var program = LocalProgram.Serve("", settings);
        var exitCode = await program.EndsWithinAsync(TimeSpan.FromMinutes(2));
        Assert.True(exitCode == 1, $"{exitCode}: {program.Said}");
        // The output is read by others, who may still be at it.
        var lines = await Until.SomeAsync(
            () => Task.FromResult(program.Said.Split('\n') is { Length: > 1 } said ? said : null),
            () => Task.FromResult(program.Said)
        );
        Assert.StartsWith("Store: https://127.0.0.1:", lines[0], StringComparison.Ordinal);
        Assert.Equal(2, lines.Length);
        return lines[1];
    }

    private static (string Layer, string Manifest) Write(TemporaryFolder folder, int mebibytes)
    {
        var digest = SparseLayer.Write(folder.File("layer"), mebibytes);
        var layout = new Layout();
        var config = layout.Add(Layout.OciConfig, new JsonObject { ["os"] = "linux", ["architecture"] = "amd64" });
        var layer = new JsonObject
        {
            ["mediaType"] = Layout.OciTar,
            ["digest"] = digest,
            ["size"] = (long)mebibytes << 20,
        };
        var manifest = layout.AddManifest(config, layer);
        layout.Index(Layout.Tagged(manifest, "v1")).WriteTo(folder.File("image"));
        File.Move(folder.File("layer"), Path.Combine(folder.File("image"), Layout.PathOf(digest)));
        return (digest, Layout.Digest(manifest));
    }

    private static async Task<string> PulledAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(
            new Uri(path, UriKind.Relative),
            HttpCompletionOption.ResponseHeadersRead,
            Stop
        );
        await using var body = await answer.EnsureSuccessStatusCode().Content.ReadAsStreamAsync(Stop);
        return $"sha256:{Convert.ToHexStringLower(await SHA256.HashDataAsync(body, Stop))}";
    }

    private static async Task<JsonNode[]> ListedAsync(HttpClient client)
    {
        var text = await client.GetStringAsync(new Uri(ImagesList.Route, UriKind.Relative), Stop);
        return [.. JsonNode.Parse(text)!["data"]!["images"]!.AsArray().Select(image => image!)];
    }

    // In bytes: the most that was ever resident.
    private static long PeakOf(LocalProgram program)
    {
        var line = File.ReadLines($"/proc/{program.Id}/status")
            .Single(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture)
            * 1024;
    }
}
