using System.Runtime.CompilerServices;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

// What is done about blobs: of the containers images and derived.
internal sealed partial class NamespaceSweep
{
    private readonly StoredBlobs _stored = new(account.Images);
    private readonly StoredBlobs _derived = new(account.Derived);

    // What to do about the blobs of the container, one after the other. Takes those that it meets out of _blobs and _layouts.
    private async IAsyncEnumerable<Func<CancellationToken, ValueTask>> SuspectBlobsAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var blob in _stored.ListAsync($"{@namespace}/", uncommitted: false, cancellationToken))
        {
            if (!LayoutPath.TryParse(blob.Name, out var path, out _))
            {
                // It is no file of a layout, and whoever put it there may need it: refused, but never removed.
                if (!IsRefused(blob) && IsLate(blob))
                {
                    yield return stop => new ValueTask(LandedAsync(blob.Name, SweepKind.Events, stop));
                }
            }
            else if (path.Digest is { } digest)
            {
                var print = Print(path.Repository.App, digest);
                SeenBlob? seen = _blobs.Remove(print, out var row) ? row : null;
                var isCurrent = seen is { State: BlobState.Good } && seen.Value.ETag == Print(blob.ETag);
                if (isCurrent && !seen!.Value.IsYoung && !IsLive(print) && !_needed.Contains(print))
                {
                    yield return stop => new ValueTask(SweepAsync(path.Repository, digest, blob, stop));
                }
                else if (!isCurrent)
                {
                    yield return stop => new ValueTask(NotCurrentAsync(blob, seen, stop));
                }
            }
            else if (
                path.IsIndex
                && (!_layouts.Remove(path.Repository.App, out var applied) || applied != blob.ETag)
                && !IsRefused(blob)
                && IsLate(blob)
            )
            {
                yield return stop => new ValueTask(LandedAsync(blob.Name, SweepKind.Events, stop));
            }
        }
    }

    private async Task SweepAsync(
        Repository repository,
        Digest digest,
        BlobListing blob,
        CancellationToken cancellationToken
    )
    {
        if (await TryAsync(() => garbage.BlobAsync(repository, digest, cancellationToken)) > 0)
        {
            counts.Add(SweepKind.Blobs);
            counts.Add(SweepKind.Bytes, blob.Size);
        }
    }

    // Its row is missing, is of other bytes, or says that it goes.
    private async Task NotCurrentAsync(BlobListing blob, SeenBlob? seen, CancellationToken cancellationToken)
    {
        if (seen is { State: not BlobState.Good } marked)
        {
            await LandedAsync(blob.Name, KindOf(marked), cancellationToken);
        }
        else if (!IsRefused(blob))
        {
            if (IsLate(blob))
            {
                await LandedAsync(blob.Name, SweepKind.Events, cancellationToken);
            }
        }
        else if (
            _refused[Print(blob.Name)].WrongBytes
            && !age.IsYoung(blob.LastModified, pushed: false)
            && await DropBlobAsync(_stored, blob, cancellationToken)
        )
        {
            // Nobody can need bytes that are not what their name says: there is no row to decide about.
            counts.Add(SweepKind.Blobs);
            counts.Add(SweepKind.Bytes, blob.Size);
            await LandedAsync(blob.Name, null, cancellationToken);
        }
    }

    private async Task SweepFactsAsync(CancellationToken cancellationToken)
    {
        await foreach (var blob in _derived.ListAsync($"{@namespace}/", uncommitted: false, cancellationToken))
        {
            if (
                blob.Name.Split('/') is [_, .. var app, "facts" or "waiting", _, var algorithm, var encoded]
                && Digest.TryParse(algorithm, encoded, out var digest)
                && !age.IsYoung(blob.LastModified, pushed: false)
                && await account.ImageRows.GetAsync(
                    @namespace,
                    Keys.Image(string.Join('/', app), digest),
                    cancellationToken
                )
                    is var row
                && row?.GetString("facts_blob") != blob.Name
                // Written anew they have another ETag. What is lost all the same is made again by whoever reads it.
                && await DropBlobAsync(_derived, blob, cancellationToken)
            )
            {
                counts.Add(SweepKind.Facts);
            }
        }
    }

    private async Task<bool> DropBlobAsync(StoredBlobs blobs, BlobListing blob, CancellationToken cancellationToken) =>
        dryRun || await blobs.DeleteAsync(blob.Name, blob.ETag, cancellationToken);

    // Its event should have come by now.
    private bool IsLate(BlobListing blob) => !age.IsYoungerThan(blob.LastModified, age.Options.EventTakes);

    // Since it was written, which is known to the second.
    private bool IsRefused(BlobListing blob) =>
        _refused.TryGetValue(Print(blob.Name), out var refused)
        && blob.LastModified is { } modified
        && modified.AddSeconds(1) <= refused.At;
}
