using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Stress;

/// <summary>
/// Several servers on one storage account, each a process of its own, which is killed again and again and started anew. Each
/// request goes to any of them.
/// </summary>
/// <param name="connection">The storage account.</param>
/// <param name="token">What each request shows; null where each says that itself.</param>
/// <param name="servers">How many.</param>
/// <param name="sweeps">Whether they sweep.</param>
/// <param name="settings">Their settings.</param>
internal sealed class Fleet(
    string connection,
    string? token,
    int servers,
    bool sweeps,
    params (string Name, string Value)[] settings
) : IAsyncDisposable
{
    private const int MaxTries = 100;

    // Times the time that a start takes.
    private const double LongestLife = 6;

    private static readonly TimeSpan s_backOff = TimeSpan.FromMilliseconds(50);

    private readonly (LocalProgram Program, RegistryClient Client)?[] _servers = new (LocalProgram, RegistryClient)?[
        servers
    ];

    private readonly ConcurrentBag<HttpClient> _clients = [];
    private readonly Lock _gate = new();
    private int _cut;
    private int _unavailable;
    private int _kills;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public int Kills => _kills;

    /// <summary>The builds of the program that the servers are, in turns at first; each later start takes any of them.</summary>
    public IReadOnlyList<string> Builds { get; init; } = [LocalProgram.ThisBuild];

    /// <summary>The time that the last start of a server took, until it served.</summary>
    public TimeSpan LastStart { get; private set; }

    /// <summary>Requests whose connection was cut.</summary>
    public int Cut => _cut;

    /// <summary>Requests that were answered 503.</summary>
    public int Unavailable => _unavailable;

    public Task StartAsync() =>
        Task.WhenAll(Enumerable.Range(0, servers).Select(i => StartAsync(i, Builds[i % Builds.Count])));

    /// <summary>Kills each of them at random moments and starts it again, until the end. Then all of them run.</summary>
    /// <param name="rest">Waited for between two of those.</param>
    /// <param name="end">Ends it.</param>
    public Task KillAsync(Func<Task> rest, CancellationToken end) =>
        Task.WhenAll(
            Enumerable
                .Range(0, servers)
                .Select(async i =>
                {
                    while (!end.IsCancellationRequested)
                    {
                        // A random moment is what this is about: there is nothing to wait for.
                        // On a busy machine they live longer, too.
                        var life = LastStart * (LongestLife * Random.Shared.NextDouble());
                        await Task.Delay(life, end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                        if (!end.IsCancellationRequested)
                        {
                            await KillAsync(i);
                            await StartAsync(i, Pusher.Pick(Builds));
                            await rest();
                        }
                    }
                })
        );

    /// <summary>Sends a request once. Null when its connection was cut, or storage was too busy: nobody knows then what it did.</summary>
    public async Task<Reply?> TryAsync(
        string method,
        string path,
        byte[]? body = null,
        bool chunked = false,
        params (string Name, string Value)[] headers
    )
    {
        var client = await Until.SomeAsync(
            () => Task.FromResult(Any()),
            () => Task.FromResult("No server runs any more.")
        );
        try
        {
            var reply = await client.SendAsync(method, path, body, chunked, headers);
            if (reply.Status == HttpStatusCode.ServiceUnavailable)
            {
                Interlocked.Increment(ref _unavailable);
                return null;
            }

            Assert.True(
                reply.Status < HttpStatusCode.InternalServerError,
                $"{method} {path}: {reply.Status} {reply.Text}\n{Said}"
            );
            return reply;
        }
        // The last: what the client throws for a connection that was cut while it was made.
        catch (Exception error) when (error is HttpRequestException or IOException or SocketException)
        {
            Interlocked.Increment(ref _cut);
            // As clients do, and so that a server that has just ended is not asked a thousand times.
            await Task.Delay(s_backOff, Stop);
            return null;
        }
    }

    /// <summary>Sends a request that may be repeated, until it is answered.</summary>
    public async Task<Reply> SendAsync(string method, string path)
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            if (await TryAsync(method, path) is { } reply)
            {
                return reply;
            }
        }

        throw new InvalidOperationException($"{method} {path} was never answered.\n{Said}");
    }

    /// <summary>What the servers have said.</summary>
    public string Said
    {
        get
        {
            lock (_gate)
            {
                return string.Join("\n\n", _servers.Select(s => s?.Program.Said));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var server in _servers)
        {
            if (server is not null)
            {
                await server.Value.Program.DisposeAsync();
            }
        }

        foreach (var client in _clients)
        {
            client.Dispose();
        }
    }

    // Also a push takes longer on a busy machine, and has to get done between two sweeps that spare nothing.
    private string Interval =>
        sweeps ? string.Create(CultureInfo.InvariantCulture, $"{Math.Ceiling(LastStart.TotalSeconds * 3) + 1}s") : "0m";

    private RegistryClient? Any()
    {
        lock (_gate)
        {
            var running = Array.FindAll(_servers, s => s is not null);
            return running.Length == 0 ? null : running[Random.Shared.Next(running.Length)]!.Value.Client;
        }
    }

    private async Task StartAsync(int i, string build)
    {
        var clock = Stopwatch.StartNew();
        var program = await LocalProgram.ServeBuildAsync(
            build,
            connection,
            [.. settings, (SweepTimer.IntervalSetting, Interval)]
        );
        LastStart = clock.Elapsed;
        var http = new HttpClient { BaseAddress = program.Address };
        _clients.Add(http);
        lock (_gate)
        {
            _servers[i] = (program, new RegistryClient(http, token is null ? null : $"Bearer {token}"));
        }
    }

    private async Task KillAsync(int i)
    {
        // While requests are under way, and others go there still.
        var program = _servers[i]!.Value.Program;
        await program.KillAsync();
        Interlocked.Increment(ref _kills);
        lock (_gate)
        {
            _servers[i] = null;
        }

        await program.DisposeAsync();
    }
}
