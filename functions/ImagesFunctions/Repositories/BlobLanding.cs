using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>Bytes that somebody can write, from wherever they are.</summary>
/// <param name="CreateAsync">
/// Writes them where no blob is and returns its ETag; null when there is one, or when it has to be tried again.
/// </param>
internal sealed record LandingSource(Func<CancellationToken, Task<string?>> CreateAsync)
{
    /// <summary>Throws unless they can be written now: asked before a blob is removed to make way for them. Null: they always can.</summary>
    public Func<CancellationToken, Task>? DemandAsync { get; init; }
}

/// <summary>
/// Brings bytes that are known to have a digest to their place in a repository's layout, and their row <c>b</c> into the
/// table. Whoever drops, ingests, removes or pushes the same digest at the same time, all come to the same end.
/// </summary>
internal sealed class BlobLanding(RowStore rowStore, Content content, Removal removal, BlobRegistration registration)
{
    private const int MaxTries = 20;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>Lands bytes that are in memory. The digest has to be theirs.</summary>
    public Task LandAsync(
        Repository repository,
        Digest digest,
        ReadOnlyMemory<byte> bytes,
        CancellationToken cancellationToken
    )
    {
        var tar = new TarPeek();
        tar.Read(bytes.Span);
        return LandAsync(
            repository,
            digest,
            bytes.Length,
            tar.Facts,
            written: null,
            new LandingSource(stop => content.CreateAsync(LayoutPath.Of(repository, digest), bytes, stop)),
            cancellationToken
        );
    }

    /// <summary>
    /// Lands bytes that somebody else can write. When it returns, the blob is there, verified, and its row is as new as the
    /// call, whoever wrote it.
    /// </summary>
    /// <param name="repository">The repository.</param>
    /// <param name="digest">The digest that was computed from the bytes.</param>
    /// <param name="size">Their number.</param>
    /// <param name="tar">What was seen in them.</param>
    /// <param name="written">The ETag of the blob if the caller has just written it; else null.</param>
    /// <param name="source">Writes them.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="StorageUnavailableException">Others kept changing the blob.</exception>
    /// <exception cref="StorageHeldException">Storage keeps what is there, and nobody can read it.</exception>
    public async Task LandAsync(
        Repository repository,
        Digest digest,
        long size,
        TarFacts? tar,
        string? written,
        LandingSource source,
        CancellationToken cancellationToken
    )
    {
        var path = LayoutPath.Of(repository, digest);
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            // The row first: what is written by comparing with it may only be newer than it.
            var row = await rowStore.BlobAsync(repository, digest, cancellationToken);
            if (row is { State: BlobState.Deleting })
            {
                await removal.FinishAsync(repository, digest, cancellationToken);
                continue;
            }

            var stored = await ReadableAsync(path, source, cancellationToken);
            if (stored is null)
            {
                written = await source.CreateAsync(cancellationToken);
            }
            else if (
                stored.Value.ETag != written
                && await RenewAsync(repository, digest, row, stored.Value, cancellationToken)
            )
            {
                return;
            }

            if (written is not null && (stored is null || stored.Value.ETag == written))
            {
                var landed = new BlobRow(repository.App, digest, size, written, BlobState.Good, tar) { Pushed = true };
                if (await RegisterAsync(repository, landed, row, cancellationToken))
                {
                    return;
                }
            }

            await Backoff.DelayAsync(attempt, FirstDelay, MaxDelay, cancellationToken);
        }

        throw new StorageUnavailableException($"{path} was changed by others each time it was written");
    }

    /// <summary>Whether the repository has the blob, verified, unchanged and readable. If so its row is as new as the call.</summary>
    public async Task<bool> IsThereAsync(Repository repository, Digest digest, CancellationToken cancellationToken)
    {
        var path = LayoutPath.Of(repository, digest);
        return await rowStore.BlobAsync(repository, digest, cancellationToken) is { State: BlobState.Good } row
            && await content.StatAsync(path, cancellationToken) is { Unreadable: null } stored
            && stored.ETag == row.BlobETag
            && await rowStore.PutBlobAsync(repository.Namespace, row, row, cancellationToken);
    }

    // The blob that is there; null where none is any more. What nobody can read, nobody can write over either: it makes way for
    // ours, which are there to be written.
    private async Task<StoredBlob?> ReadableAsync(
        string path,
        LandingSource source,
        CancellationToken cancellationToken
    )
    {
        var stored = await content.StatAsync(path, cancellationToken);
        if (stored is not { Unreadable: not null } archived)
        {
            return stored;
        }

        await (source.DemandAsync?.Invoke(cancellationToken) ?? Task.CompletedTask);
        await content.DeleteAsync(path, archived.ETag, cancellationToken);
        return null;
    }

    // False when the row was changed meanwhile.
    private async Task<bool> RegisterAsync(
        Repository repository,
        BlobRow landed,
        BlobRow? before,
        CancellationToken cancellationToken
    )
    {
        var isRow = await rowStore.PutBlobAsync(repository.Namespace, landed, before, cancellationToken);
        // As an event would: what waited for this blob is complete now, and what was refused here is not any more.
        await registration.RegisterAsync(repository, landed.Digest, cancellationToken);
        return isRow;
    }

    // True when what is stored is verified, and its row written anew: whoever was about to remove it compares ETags.
    private async Task<bool> RenewAsync(
        Repository repository,
        Digest digest,
        BlobRow? row,
        StoredBlob stored,
        CancellationToken cancellationToken
    )
    {
        if (row is { State: BlobState.Good } && row.BlobETag == stored.ETag)
        {
            return await rowStore.PutBlobAsync(repository.Namespace, row, row, cancellationToken);
        }

        // Nobody has looked at it yet, or not since it was overwritten.
        var path = LayoutPath.Of(repository, digest);
        await registration.RegisterAsync(repository, digest, cancellationToken);
        row = await rowStore.BlobAsync(repository, digest, cancellationToken);
        if (row is { State: BlobState.Good } && row.BlobETag == stored.ETag)
        {
            return true;
        }

        // Bad bytes, whatever they are: ours are good.
        await content.DeleteAsync(path, stored.ETag, cancellationToken);
        return false;
    }
}
