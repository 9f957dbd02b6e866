using System.Runtime.CompilerServices;
using System.Threading.Channels;
using System.Xml;
using Azure.Storage.Blobs.Models;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Local;

/// <summary>
/// What the blob trigger is in the cloud: lists the container again and again and hands every blob that is new, changed
/// or gone to <see cref="ImagesApp"/>. After a start every blob is new once, which heals what a kill left undone.
/// </summary>
public sealed class ContainerWatcher : BackgroundService
{
    private const int Tries = 5;
    private const int AtOnce = 8;
    private static readonly TimeSpan MinPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan MaxPauseAfterFailure = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan FirstBackOff = TimeSpan.FromMilliseconds(250);

    private readonly Func<CancellationToken, Task> _create;
    private readonly Func<CancellationToken, IAsyncEnumerable<(string Path, string ETag)>> _list;
    private readonly Func<string, CancellationToken, Task> _landed;
    private readonly Func<string, Exception, CancellationToken, Task> _failed;
    private readonly TimeProvider _time;
    private readonly ILogger _log;

    private readonly Channel<(string Path, int Try)> _queue = Channel.CreateUnbounded<(string, int)>();

    // Paths that are queued, at work or between two tries; true: changed since its first try began. Guarded by itself.
    private readonly Dictionary<string, bool> _busy = new(StringComparer.Ordinal);

    // Paths that are to be handed out again by the next listing. Guarded by _busy.
    private readonly HashSet<string> _forgotten = new(StringComparer.Ordinal);

    /// <summary>Watches the container <c>images</c>.</summary>
    public ContainerWatcher(ImagesApp images, TimeProvider time, ILogger<ContainerWatcher> log)
        : this(
            images.CreateAsync,
            cancellationToken => ListAsync(images.Storage, cancellationToken),
            images.TryBlobLandedAsync,
            images.BlobFailedAsync,
            time,
            log
        ) { }

    internal ContainerWatcher(
        Func<CancellationToken, Task> create,
        Func<CancellationToken, IAsyncEnumerable<(string Path, string ETag)>> list,
        Func<string, CancellationToken, Task> landed,
        Func<string, Exception, CancellationToken, Task> failed,
        TimeProvider time,
        ILogger log
    )
    {
        _create = create;
        _list = list;
        _landed = landed;
        _failed = failed;
        _time = time;
        _log = log;
    }

    /// <summary>Makes the containers and tables that are missing before anything is served, then begins to watch.</summary>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await _create(cancellationToken);
        await base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var work = Enumerable.Range(0, AtOnce).Select(_ => WorkAsync(stoppingToken));
        await Task.WhenAll(work.Append(WatchAsync(stoppingToken)))
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    internal static async IAsyncEnumerable<(string Path, string ETag)> ListAsync(
        StorageAccount storage,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (
            var blob in storage.Images.GetBlobsAsync(BlobTraits.None, BlobStates.None, prefix: null, cancellationToken)
        )
        {
            yield return (blob.Name, blob.Properties.ETag.ToString()!);
        }
    }

    private async Task WatchAsync(CancellationToken cancellationToken)
    {
        var seen = new Dictionary<string, (string ETag, long Pass)>(StringComparer.Ordinal);
        var failures = 0;
        for (var pass = 1L; ; pass++)
        {
            var started = _time.GetTimestamp();
            TimeSpan pause;
            try
            {
                await LookAsync(seen, pass, cancellationToken);
                // A large container must not be listed all the time: at most half of it.
                var took = _time.GetElapsedTime(started);
                pause = took > MinPause ? took : MinPause;
                if (failures > 0)
                {
                    _log.LogInformation("The container can be listed again.");
                    failures = 0;
                }
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                if (failures++ == 0)
                {
                    _log.LogWarning(
                        "The container cannot be listed, trying on: {Reason}{Hint}",
                        OneLine.Of(error),
                        error is XmlException ? " (a control character in the name of a blob does that: remove it)" : ""
                    );
                }

                pause = BackOff(MinPause, failures, MaxPauseAfterFailure);
            }

            await Task.Delay(pause, _time, cancellationToken);
        }
    }

    private async Task LookAsync(
        Dictionary<string, (string ETag, long Pass)> seen,
        long pass,
        CancellationToken cancellationToken
    )
    {
        lock (_busy)
        {
            foreach (var path in _forgotten)
            {
                seen.Remove(path);
            }

            _forgotten.Clear();
        }

        await foreach (var (path, etag) in _list(cancellationToken))
        {
            var known = seen.TryGetValue(path, out var before) && before.ETag == etag;
            seen[path] = (etag, pass);
            if (!known)
            {
                Enqueue(path);
            }
        }

        foreach (var path in seen.Where(blob => blob.Value.Pass != pass).Select(blob => blob.Key).ToList())
        {
            seen.Remove(path);
            Enqueue(path);
        }
    }

    private void Enqueue(string path)
    {
        lock (_busy)
        {
            if (!_busy.TryAdd(path, false))
            {
                _busy[path] = true;
                return;
            }
        }

        _queue.Writer.TryWrite((path, 1));
    }

    private async Task WorkAsync(CancellationToken cancellationToken)
    {
        await foreach (var (path, attempt) in _queue.Reader.ReadAllAsync(cancellationToken))
        {
            if (attempt == 1)
            {
                lock (_busy)
                {
                    _busy[path] = false;
                }
            }

            try
            {
                await _landed(path, cancellationToken);
                Done(path);
            }
            catch (Exception error) when (!cancellationToken.IsCancellationRequested)
            {
                if (attempt < Tries)
                {
                    // Not awaited: a blob that waits for its next try must not keep others waiting. Never throws.
                    _ = AgainAsync(path, attempt, cancellationToken);
                }
                else
                {
                    await GiveUpAsync(path, error, cancellationToken);
                    Done(path);
                }
            }
        }
    }

    private async Task AgainAsync(string path, int attempt, CancellationToken cancellationToken)
    {
        await Task.Delay(BackOff(FirstBackOff, attempt, MaxPauseAfterFailure), _time, cancellationToken)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _queue.Writer.TryWrite((path, attempt + 1));
    }

    private async Task GiveUpAsync(string path, Exception error, CancellationToken cancellationToken)
    {
        _log.LogWarning("{Path} failed {Tries} times: {Reason}", path, Tries, OneLine.Of(error));
        try
        {
            await _failed(path, error, cancellationToken);
        }
        catch (Exception another) when (!cancellationToken.IsCancellationRequested)
        {
            _log.LogWarning("That could not be recorded, trying on: {Reason}", OneLine.Of(another));
            lock (_busy)
            {
                _forgotten.Add(path);
            }
        }
    }

    private void Done(string path)
    {
        lock (_busy)
        {
            if (!_busy[path])
            {
                _busy.Remove(path);
                return;
            }
        }

        _queue.Writer.TryWrite((path, 1));
    }

    /// <summary>Doubles with every failure; between half of it and all of it, so that many do not come back at once.</summary>
    private static TimeSpan BackOff(TimeSpan first, int failures, TimeSpan max)
    {
        var bound = Math.Min(max.TotalSeconds, first.TotalSeconds * Math.Pow(2, failures - 1));
        return TimeSpan.FromSeconds(bound * (0.5 + (Random.Shared.NextDouble() / 2)));
    }
}
