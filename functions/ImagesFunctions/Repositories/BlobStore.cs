using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>Bytes whose digest is computed, and that are to be a blob of a repository.</summary>
/// <param name="Path">The blob.</param>
/// <param name="Size">The number of the bytes.</param>
/// <param name="Tar">What was seen in them; null where they are no tar.</param>
internal sealed record VerifiedBytes(BlobPath Path, long Size, TarFacts? Tar)
{
    /// <summary>The ETag of the stored blob where the caller has just written it; else null.</summary>
    public string? Written { get; init; }

    /// <summary>The row of the blob.</summary>
    /// <param name="etag">The ETag of the stored blob.</param>
    public BlobRow RowOf(string etag) =>
        new(Path.Repository.App, Path.Digest, Size, etag, BlobState.Good, Tar) { Pushed = true };
}

/// <summary>Bytes that a caller can write, wherever they come from.</summary>
/// <param name="CreateAsync">
/// Writes them where no blob is, and returns the blob's ETag; null when there is a blob, or when it is to be tried again.
/// </param>
internal sealed record BlobSource(Func<CancellationToken, Task<string?>> CreateAsync)
{
    /// <summary>Throws unless they can be written now: called before a blob is removed to make way for them. Null: they always can.</summary>
    public Func<CancellationToken, Task>? DemandAsync { get; init; }

    /// <summary>
    /// What the caller ends as soon as a new blob has its row, while the blob is looked at once more. It is not called where the
    /// blob was there: the caller has to end it himself then. Null: nothing.
    /// </summary>
    public Func<Task>? AddedAsync { get; init; }
}

/// <summary>
/// Stores bytes as a blob of a repository, and writes the blob's row <c>b</c>. Drops, ingests, removals and pushes of the same
/// digest at the same time all lead to the same rows.
/// </summary>
internal sealed class BlobStore(RowStore rowStore, Content content, Removal removal, BlobRegistration registration)
{
    private const int MaxTries = 20;

    // Up to here they are written at once, without a look at what is there. What is longer is many requests to write.
    private const long MaxAtOnce = BlobWriter.BlockSize;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromMilliseconds(500);

    /// <summary>Stores bytes that are in memory.</summary>
    /// <param name="path">The blob, named by the digest of these bytes.</param>
    /// <param name="bytes">The bytes.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <param name="added">As <see cref="BlobSource.AddedAsync"/>.</param>
    /// <exception cref="StorageUnavailableException">Others kept changing the blob.</exception>
    public Task StoreAsync(
        BlobPath path,
        ReadOnlyMemory<byte> bytes,
        CancellationToken cancellationToken,
        Func<Task>? added = null
    )
    {
        var tar = new TarPeek();
        tar.Read(bytes.Span);
        return StoreAsync(
            new VerifiedBytes(path, bytes.Length, tar.Facts),
            new BlobSource(stop => content.CreateAsync(path, bytes, stop)) { AddedAsync = added },
            cancellationToken
        );
    }

    /// <summary>
    /// Stores bytes that the caller can write. When it returns, the blob is there and verified, and its row is as new as the
    /// call, whichever process wrote it.
    /// </summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="source">Writes them.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="QuotaExceededException">The account has no room for it; nothing is stored.</exception>
    /// <exception cref="StorageUnavailableException">Others kept changing the blob.</exception>
    /// <exception cref="StorageHeldException">Storage keeps the blob that is there, and nobody can read it.</exception>
    public async Task StoreAsync(VerifiedBytes bytes, BlobSource source, CancellationToken cancellationToken)
    {
        if (bytes.Written is null)
        {
            var ns = bytes.Path.Repository.Namespace;
            await rowStore.DemandRoomAsync(ns, bytes.Size, Keys.Blob(bytes.Path), cancellationToken);
        }

        await StoreFittingAsync(bytes, source, cancellationToken);
    }

    private async Task StoreFittingAsync(VerifiedBytes bytes, BlobSource source, CancellationToken cancellationToken)
    {
        var (path, written) = (bytes.Path, bytes.Written);
        if (written is null && bytes.Size <= MaxAtOnce)
        {
            written = await TryCreateAsync(source, cancellationToken);
        }

        if (written is not null && await AddAsync(bytes, source, written, cancellationToken))
        {
            return;
        }

        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            // The row first: what is compared with it may only be newer.
            var row = await rowStore.BlobAsync(path, cancellationToken);
            if (row is { IsBeingRemoved: true })
            {
                await removal.FinishAsync(path, cancellationToken);
                continue;
            }

            var stored = await WithoutUnreadableAsync(path, source, cancellationToken);
            if (stored is null)
            {
                written = await source.CreateAsync(cancellationToken);
            }
            else if (stored.Value.ETag != written && await RenewAsync(path, row, stored.Value, cancellationToken))
            {
                return;
            }

            if (written is not null && (stored is null || stored.Value.ETag == written))
            {
                if (await RegisterAsync(path, bytes.RowOf(written), row, cancellationToken))
                {
                    return;
                }
            }

            await Backoff.DelayAsync(attempt, FirstDelay, MaxDelay, cancellationToken);
        }

        throw new StorageUnavailableException($"{path} was changed by others each time it was written");
    }

    // Null, too, where storage does not write or copy: what is there, or missing, is looked at then.
    private static async Task<string?> TryCreateAsync(BlobSource source, CancellationToken cancellationToken)
    {
        try
        {
            return await source.CreateAsync(cancellationToken);
        }
        catch (Exception error) when (StorageErrors.IsNoCopy(error))
        {
            return null;
        }
    }

    // The blob that is there. One that nobody can read or write over makes way for ours, which are there to be written.
    private async Task<StoredBlob?> WithoutUnreadableAsync(
        BlobPath path,
        BlobSource source,
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

    // Most blobs are new, and so is the row. False when there was one: then it is looked at what it says.
    private async Task<bool> AddAsync(
        VerifiedBytes bytes,
        BlobSource source,
        string written,
        CancellationToken cancellationToken
    )
    {
        if (!await PutAsync(bytes.Path, bytes.RowOf(written), before: null, cancellationToken))
        {
            return false;
        }

        await Task.WhenAll(
            registration.AddedAsync(bytes.Path, written, cancellationToken),
            source.AddedAsync?.Invoke() ?? Task.CompletedTask
        );
        return true;
    }

    /// <summary>Whether the repository has the blob, verified, unchanged and readable. If so its row is as new as the call.</summary>
    public async Task<bool> IsThereAsync(BlobPath path, CancellationToken cancellationToken) =>
        await rowStore.BlobAsync(path, cancellationToken) is { State: BlobState.Good } row
        && await content.StatAsync(path, cancellationToken) is { Unreadable: null } stored
        && stored.ETag == row.BlobETag
        && await rowStore.PutBlobAsync(path.Repository.Namespace, row, row, cancellationToken);

    // Others were faster to fill the account: what this call has stored goes again.
    private async Task<bool> PutAsync(BlobPath path, BlobRow row, BlobRow? before, CancellationToken cancellationToken)
    {
        try
        {
            return await rowStore.PutBlobAsync(path.Repository.Namespace, row, before, cancellationToken);
        }
        catch (QuotaExceededException)
        {
            await TakeBackAsync(path, row, before, cancellationToken);
            throw;
        }
    }

    /// <summary>
    /// Removes bytes that were stored and do not fit, unless somebody has taken them in meanwhile: by a row that says first that they
    /// go, as each removal does.
    /// </summary>
    /// <param name="path">The blob.</param>
    /// <param name="row">Its row, which was not written.</param>
    /// <param name="before">The row that was there; null: there was none.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task TakeBackAsync(BlobPath path, BlobRow row, BlobRow? before, CancellationToken cancellationToken)
    {
        var going = row with { State = BlobState.Deleting };
        if (await rowStore.PutBlobAsync(path.Repository.Namespace, going, before, cancellationToken))
        {
            try
            {
                await removal.FinishAsync(path, cancellationToken);
            }
            catch (StorageHeldException)
            {
                // The sweeper retries until storage lets the bytes go.
            }
        }
    }

    // False when the row was changed since it was read.
    private async Task<bool> RegisterAsync(
        BlobPath path,
        BlobRow landed,
        BlobRow? before,
        CancellationToken cancellationToken
    )
    {
        var isRow = await PutAsync(path, landed, before, cancellationToken);
        // As an event would do: commits what waited for this blob, and clears its refusal.
        await registration.RegisterAsync(path, cancellationToken);
        return isRow;
    }

    // True when the stored blob is verified and its row is written anew: a removal that was under way compares ETags.
    private async Task<bool> RenewAsync(
        BlobPath path,
        BlobRow? row,
        StoredBlob stored,
        CancellationToken cancellationToken
    )
    {
        if (row is { State: BlobState.Good } && row.BlobETag == stored.ETag)
        {
            return await rowStore.PutBlobAsync(path.Repository.Namespace, row, row, cancellationToken);
        }

        // It was not looked at yet, or not since it was overwritten.
        await registration.RegisterAsync(path, cancellationToken);
        row = await rowStore.BlobAsync(path, cancellationToken);
        if (row is { State: BlobState.Good } && row.BlobETag == stored.ETag)
        {
            return true;
        }

        // Its bytes are wrong, and ours are right.
        await content.DeleteAsync(path, stored.ETag, cancellationToken);
        return false;
    }
}
