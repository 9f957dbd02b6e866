using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using Azure.Core.Pipeline;
using ImagesFunctions.Accounts;
using ImagesFunctions.Local;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests;

namespace ImagesFunctions.Benchmarks;

/// <summary>A storage account on an Azurite of its own, and the library on it in this process, for seeding and for raw calls.</summary>
internal sealed class Store : IAsyncDisposable
{
    private readonly Azurite _azurite;
    private readonly WebApplication _app;

    private Store(Azurite azurite, string connectionString, CancellationToken stop, HttpPipelinePolicy? calls = null)
    {
        (_azurite, ConnectionString, Stop) = (azurite, connectionString, stop);
        _app = LocalHost.Build(
            connectionString,
            urls: null,
            services =>
            {
                if (calls is not null)
                {
                    services.AddSingleton<StorageAccount>(s =>
                        StorageAccount.From(s.GetRequiredService<IConfiguration>(), [calls])
                    );
                }
            }
        );
    }

    public string ConnectionString { get; }

    public StorageAccount Account => Get<StorageAccount>();

    private CancellationToken Stop { get; }

    /// <summary>An empty one, in memory.</summary>
    /// <param name="bench">Whose it is.</param>
    /// <param name="calls">Sees each call to storage that is made in this process.</param>
    public static async Task<Store> StartAsync(Bench bench, HttpPipelinePolicy? calls = null)
    {
        var azurite = await Azurite.StartAsync(inMemory: true, cancellationToken: bench.Stop);
        var store = new Store(azurite, azurite.ConnectionString, bench.Stop, calls);
        await store.Account.CreateAsync(bench.Stop);
        // A store without this account counts as fresh: `serve` would put a sample image into it.
        await store.TokenAsync("demo");
        return store;
    }

    /// <summary>One whose blobs are on the disk, and whose tables are those of another one.</summary>
    public static async Task<Store> OnDiskAsync(Bench bench, Store tables)
    {
        var folder = Path.Combine(bench.Folder, $"azurite-{Guid.NewGuid():N}");
        var azurite = await Azurite.StartAsync(data: folder, cancellationToken: bench.Stop);
        var parts = azurite
            .ConnectionString.Split(';')
            .Where(part => !part.StartsWith("TableEndpoint", StringComparison.Ordinal))
            .Concat(
                tables
                    .ConnectionString.Split(';')
                    .Where(part => part.StartsWith("TableEndpoint", StringComparison.Ordinal))
            );
        var store = new Store(azurite, string.Join(';', parts.Where(part => part.Length > 0)), bench.Stop);
        await store.Account.CreateAsync(bench.Stop);
        return store;
    }

    /// <summary>Writes images as rows; one in so many has a tag.</summary>
    public Task SeedAsync(string @namespace, int images, int imagesPerTag = Bench.PerApp) =>
        Seeds.WriteAsync(Account.Catalog, @namespace, Seeds.Images(images, Bench.PerApp), imagesPerTag, Stop);

    public async Task<string> TokenAsync(string account) =>
        (await Get<Tokens>().CreateAsync(account, lifetime: null, Stop)).Text;

    /// <summary>A part of the library, on this storage and in this process. Nothing of it runs by itself.</summary>
    public T Get<T>()
        where T : notnull => _app.Services.GetRequiredService<T>();

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        await _azurite.DisposeAsync();
    }
}

/// <summary>A server in a process of its own on a free port of 127.0.0.1.</summary>
internal sealed class Server : IAsyncDisposable
{
    private readonly Process _process;
    private readonly StringBuilder _said = new();

    private Server(ProcessStartInfo start, Uri address)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        Address = address;
        _process = new Process { StartInfo = start };
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
    }

    public Uri Address { get; }

    public int Id => _process.Id;

    /// <summary>The time of processors that it has taken so far, in milliseconds: what other work on the machine hardly changes.</summary>
    public double Cpu
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime.TotalMilliseconds;
        }
    }

    /// <summary>Ours: <c>serve</c> of the published program, on this storage, with the settings that it has by itself but for
    /// no limit of requests.</summary>
    public static Task<Server> OursAsync(Bench bench, Store store, params (string Name, string Value)[] settings) =>
        OursAsync(bench, store, "readyz", token: null, settings);

    /// <summary>As the other overload, until a path is answered.</summary>
    public static Task<Server> OursAsync(
        Bench bench,
        Store store,
        string path,
        string? token,
        params (string Name, string Value)[] settings
    )
    {
        var address = Free();
        var start = new ProcessStartInfo("dotnet", [bench.Program, "serve", "--urls", $"{address}"]);
        start.Environment["ImagesStorage"] = store.ConnectionString;
        start.Environment["RequestsPerMinute"] = "1000000000";
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        return StartAsync(start, address, path, bench.Stop, token);
    }

    /// <summary>A bare Kestrel that answers <c>/</c> with these bytes, and anything else with 304.</summary>
    public static async Task<Server> KestrelAsync(Bench bench, byte[] bytes)
    {
        var file = Path.Combine(bench.Folder, "bytes");
        await File.WriteAllBytesAsync(file, bytes, bench.Stop);
        var address = Free();
        return await StartAsync(Kestrel(address, file), address, "", bench.Stop);
    }

    /// <summary>How that is started.</summary>
    public static ProcessStartInfo Kestrel(Uri address, string? file)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Server).Assembly.Location, "kestrel", $"{address}"]);
        if (file is not null)
        {
            start.ArgumentList.Add(file);
        }

        return start;
    }

    /// <summary>CNCF distribution on the file system, without an access log.</summary>
    public static async Task<Server> RegistryAsync(Bench bench)
    {
        var address = Free();
        var folder = Directory.CreateDirectory(Path.Combine(bench.Folder, $"registry-{address.Port}")).FullName;
        var config = Path.Combine(folder, "config.yml");
        await File.WriteAllTextAsync(
            config,
            $$"""
            version: 0.1
            log: { level: error, accesslog: { disabled: true } }
            storage:
              cache: { blobdescriptor: inmemory }
              filesystem: { rootdirectory: {{folder}} }
            http: { addr: "{{address.Authority}}" }
            """,
            bench.Stop
        );
        return await StartAsync(new ProcessStartInfo("docker-registry", ["serve", config]), address, "v2/", bench.Stop);
    }

    public static Uri Free()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
    }

    /// <summary>Starts it and waits until a path of it is answered with 200.</summary>
    public static async Task<Server> StartAsync(
        ProcessStartInfo start,
        Uri address,
        string path,
        CancellationToken stop,
        string? token = null
    )
    {
        var server = new Server(start, address);
        try
        {
            server._process.Start();
            server._process.BeginOutputReadLine();
            server._process.BeginErrorReadLine();
            using var client = new Client(address, token);
            var deadline = Stopwatch.StartNew();
            while (!await client.AnswersAsync(path, stop))
            {
                if (server._process.HasExited || deadline.Elapsed > TimeSpan.FromMinutes(3))
                {
                    throw new InvalidOperationException($"{start.FileName} does not answer: {server._said}");
                }

                await Task.Delay(2, stop);
            }

            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }
        catch (InvalidOperationException)
        {
            // It never began, or is gone.
        }

        _process.Dispose();
    }

    private void Hear(string? line)
    {
        lock (_said)
        {
            if (_said.Length < 4_000)
            {
                _said.AppendLine(line);
            }
        }
    }
}

/// <summary>The bare web server that others are compared with: what it does not do cannot be done faster.</summary>
internal static class BareKestrel
{
    public static async Task<int> RunAsync(string address, string? file)
    {
        var bytes = file is null ? [] : await File.ReadAllBytesAsync(file);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls(address).ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);
        await using var app = builder.Build();
        app.Run(context =>
        {
            if (context.Request.Path != "/")
            {
                context.Response.StatusCode = StatusCodes.Status304NotModified;
                return Task.CompletedTask;
            }

            context.Response.ContentType = "application/json";
            context.Response.ContentLength = bytes.Length;
            return context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
        });
        await app.RunAsync();
        return 0;
    }
}

/// <summary>Images for CNCF distribution, pushed by its API.</summary>
internal static class RegistryImages
{
    /// <summary>Pushes so many tags, each of a manifest of its own, into the repository <c>bench</c>.</summary>
    public static async Task PushAsync(Client client, int tags, CancellationToken stop)
    {
        var config = await BlobAsync(client, "{}"u8.ToArray(), stop);
        for (var i = 0; i < tags; i++)
        {
            var manifest = new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = MediaTypes.OciManifest,
                ["config"] = config.DeepClone(),
                ["layers"] = new JsonArray(),
                ["annotations"] = new JsonObject { ["number"] = $"{i}" },
            };
            using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(manifest.ToJsonString()));
            content.Headers.Add("Content-Type", MediaTypes.OciManifest);
            using var _ = await client.SendAsync(
                HttpMethod.Put,
                $"v2/bench/manifests/{Seeds.Tag(i)}",
                HttpStatusCode.Created,
                stop,
                content
            );
        }
    }

    private static async Task<JsonObject> BlobAsync(Client client, byte[] bytes, CancellationToken stop)
    {
        var digest = Digest.Sha256(bytes);
        await client.PushAsync("bench", digest, new ByteArrayContent(bytes), stop);
        return new JsonObject
        {
            ["mediaType"] = "application/vnd.oci.image.config.v1+json",
            ["digest"] = $"{digest}",
            ["size"] = bytes.Length,
        };
    }
}
