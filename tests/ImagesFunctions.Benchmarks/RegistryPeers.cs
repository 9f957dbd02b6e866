using System.Collections.Concurrent;
using System.Diagnostics;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Benchmarks;

/// <summary>A registry, or storage without one, and its clients, which share the work.</summary>
internal sealed class Peer(IReadOnlyList<IWorkClient> clients) : IDisposable
{
    private readonly ConcurrentDictionary<Layer, string> _images = new();
    private int _repositories;
    private int _catalog;
    private (string Repository, Layer Layer)? _last;

    /// <summary>Pushes what a line needs: an image of each layer, or the repositories of the catalog.</summary>
    /// <param name="line">What is going to be done.</param>
    /// <param name="repositories">How many the catalog has.</param>
    /// <param name="stop">Cancels it.</param>
    public async Task PrepareAsync(WorkLine line, int repositories, CancellationToken stop)
    {
        foreach (var step in line.Steps.Distinct())
        {
            if (step.Layer is { } needed)
            {
                // For pushes, too: distribution's azure driver fails when clients push the same new blob at once.
                if (!_images.ContainsKey(needed))
                {
                    _images[needed] = await PushAsync(clients[0], needed, chunked: false, stop);
                }
            }
            else
            {
                var layer = Layer.Random("catalog", 1024);
                await PushAsync(clients[0], layer, chunked: false, stop);
                var pushes = Enumerable.Repeat(new Step(Work.Push, layer), repositories - 1);
                await TurnAsync(new WorkLine("prepare", [.. pushes]), stop);
                _catalog = repositories;
            }
        }
    }

    /// <summary>Does all steps of a line.</summary>
    /// <returns>How many a second.</returns>
    public async Task<double> TurnAsync(WorkLine line, CancellationToken stop)
    {
        var taken = 0;
        var done = 0;
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(clients.Select(client => Task.Run(() => WorkAsync(client), stop)));
        return done / Stopwatch.GetElapsedTime(started).TotalSeconds;

        async Task WorkAsync(IWorkClient client)
        {
            for (
                var next = Interlocked.Increment(ref taken) - 1;
                next < line.Steps.Count || Stopwatch.GetElapsedTime(started) < line.Lasts;
                next = Interlocked.Increment(ref taken) - 1
            )
            {
                await DoAsync(client, line.Steps[next % line.Steps.Count], stop);
                Interlocked.Increment(ref done);
            }
        }
    }

    /// <summary>Pulls what was pushed last, and fails if that has another length.</summary>
    public async Task CheckAsync(CancellationToken stop)
    {
        if (_last is { } last)
        {
            await PullAsync(clients[0], last.Repository, last.Layer, stop);
        }
    }

    public void Dispose()
    {
        foreach (var client in clients)
        {
            client.Dispose();
        }
    }

    private async Task DoAsync(IWorkClient client, Step step, CancellationToken stop)
    {
        switch (step)
        {
            case { Work: Work.Catalog }:
                var repositories = await client.CatalogAsync(stop);
                if (repositories != _catalog)
                {
                    throw new InvalidOperationException($"{repositories} repositories are listed and not {_catalog}");
                }

                break;
            case { Work: Work.Pull, Layer: { } layer }:
                await PullAsync(client, _images[layer], layer, stop);
                break;
            case { Layer: { } layer }:
                await PushAsync(client, layer, step.Work == Work.PushChunked, stop);
                break;
        }
    }

    // Each image has a repository of its own, as in zb.
    private async Task<string> PushAsync(IWorkClient client, Layer layer, bool chunked, CancellationToken stop)
    {
        var repository = $"alice/app{Interlocked.Increment(ref _repositories)}";
        await client.PushAsync(repository, LayerImage.Of(layer), chunked, stop);
        _last = (repository, layer);
        return repository;
    }

    private static async Task PullAsync(IWorkClient client, string repository, Layer layer, CancellationToken stop)
    {
        var bytes = await client.PullAsync(repository, stop);
        if (bytes != layer.Bytes.Length)
        {
            throw new InvalidOperationException($"The layer of {repository} has {bytes} bytes.");
        }
    }
}

/// <summary>All that are compared, each with storage that was empty when it began.</summary>
internal sealed class RegistryPeers : IAsyncDisposable
{
    /// <summary>How many clients each has, which work at once.</summary>
    public const int Clients = 4;

    private readonly Stack<IAsyncDisposable> _running = new();
    private readonly List<Peer> _peers = [];
    private Server? _ours;

    /// <summary>In the order of their turns.</summary>
    public IReadOnlyList<Peer> All => _peers;

    public Peer Ours => _peers[0];

    /// <summary>CNCF distribution on the file system.</summary>
    public Peer Files => _peers[1];

    /// <summary>CNCF distribution on Azurite, or null where it is left out.</summary>
    public Peer? Azure => _peers.Count == 4 ? _peers[2] : null;

    /// <summary>Storage without a registry: the Azurite that ours is on.</summary>
    public Peer Storage => _peers[^1];

    public static async Task<RegistryPeers> StartAsync(Bench bench, bool withAzure)
    {
        var peers = new RegistryPeers();
        try
        {
            await peers.AddAsync(bench, withAzure);
            return peers;
        }
        catch
        {
            await peers.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Waits until ours has handled the events of what was pushed, ten seconds at most: it does that behind its answers, and would
    /// take processors from the next peer. It looks for them twice a second.
    /// </summary>
    public async Task SettleAsync(CancellationToken stop)
    {
        var window = TimeSpan.FromMilliseconds(700);
        for (var waited = TimeSpan.Zero; waited < TimeSpan.FromSeconds(10); waited += window)
        {
            var before = _ours!.Cpu;
            await Task.Delay(window, stop);
            if (_ours.Cpu - before < window.TotalMilliseconds / 20)
            {
                return;
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        _peers.ForEach(peer => peer.Dispose());
        while (_running.TryPop(out var last))
        {
            await last.DisposeAsync();
        }
    }

    private async Task AddAsync(Bench bench, bool withAzure)
    {
        var store = Keep(await Store.StartAsync(bench));
        var token = await store.TokenAsync("alice");
        _ours = Keep(await Server.OursAsync(bench, store, ("SweepInterval", "0m")));
        Add(_ours, token);
        Add(Keep(await Server.RegistryAsync(bench)), token: null);
        if (withAzure)
        {
            Add(Keep(await AzureRegistry.StartAsync(bench)).Server, token: null);
        }

        var (address, container, signature) = await StorageClient.OpenAsync(store, bench.Stop);
        _peers.Add(new Peer(Each(() => new StorageClient(new Client(address), container, signature))));
    }

    private void Add(Server server, string? token)
    {
        _peers.Add(new Peer(Each(() => new RegistryClient(new Client(server.Address, token, MediaTypes.OciManifest)))));
    }

    private static IWorkClient[] Each(Func<IWorkClient> make) => [.. Enumerable.Range(0, Clients).Select(_ => make())];

    private T Keep<T>(T running)
        where T : IAsyncDisposable
    {
        _running.Push(running);
        return running;
    }
}
