using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ImagesFunctions.Benchmarks;

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
