using System.Runtime.CompilerServices;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.GarbageCollection;

// What is done about blobs: of the containers images and derived.
internal sealed partial class NamespaceSweep
{
    // What to do about the blobs of the container, one after the other. Takes those that it meets out of _blobs and _layouts.
    private async IAsyncEnumerable<Func<CancellationToken, ValueTask>> SuspectBlobsAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var blob in ListAsync(account.Images, cancellationToken))
        {
            var etag = ETagOf(blob);
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
                var isCurrent = seen is { State: BlobState.Good } && seen.Value.ETag == Print(etag);
                if (isCurrent && !seen!.Value.IsYoung && !IsLive(print) && !_needed.Contains(print))
                {
                    yield return stop => new ValueTask(SweepAsync(path.Repository, digest, blob, stop));
                }
                else if (!isCurrent)
                {
                    yield return stop => new ValueTask(NotCurrentAsync(blob, etag, seen, stop));
                }
            }
            else if (
                path.IsIndex
                && (!_layouts.Remove(path.Repository.App, out var applied) || applied != etag)
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
        BlobItem blob,
        CancellationToken cancellationToken
    )
    {
        if (await TryAsync(() => garbage.BlobAsync(repository, digest, cancellationToken)) > 0)
        {
            counts.Add(SweepKind.Blobs);
            counts.Add(SweepKind.Bytes, blob.Properties.ContentLength ?? 0);
        }
    }

    // Its row is missing, is of other bytes, or says that it goes.
    private async Task NotCurrentAsync(BlobItem blob, string etag, SeenBlob? seen, CancellationToken cancellationToken)
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
            && !age.IsYoung(blob.Properties.LastModified, pushed: false)
            && await DropBlobAsync(account.Images, blob.Name, etag, cancellationToken)
        )
        {
            // Nobody can need bytes that are not what their name says: there is no row to decide about.
            counts.Add(SweepKind.Blobs);
            counts.Add(SweepKind.Bytes, blob.Properties.ContentLength ?? 0);
            await LandedAsync(blob.Name, null, cancellationToken);
        }
    }

    private async Task SweepFactsAsync(CancellationToken cancellationToken)
    {
        await foreach (var blob in ListAsync(account.Derived, cancellationToken))
        {
            if (
                blob.Name.Split('/') is [_, .. var app, "facts" or "waiting", _, var algorithm, var encoded]
                && Digest.TryParse(algorithm, encoded, out var digest)
                && !age.IsYoung(blob.Properties.LastModified, pushed: false)
                && await account.ImageRows.GetAsync(
                    @namespace,
                    Keys.Image(string.Join('/', app), digest),
                    cancellationToken
                )
                    is var row
                && row?.GetString("facts_blob") != blob.Name
                // Written anew they have another ETag. What is lost all the same is made again by whoever reads it.
                && await DropBlobAsync(account.Derived, blob.Name, ETagOf(blob), cancellationToken)
            )
            {
                counts.Add(SweepKind.Facts);
            }
        }
    }

    private async Task<bool> DropBlobAsync(
        BlobContainerClient container,
        string name,
        string etag,
        CancellationToken cancellationToken
    )
    {
        try
        {
            if (!dryRun)
            {
                await container
                    .GetBlobClient(name)
                    .DeleteIfExistsAsync(
                        DeleteSnapshotsOption.IncludeSnapshots,
                        new BlobRequestConditions { IfMatch = new ETag(etag) },
                        cancellationToken
                    );
            }

            return true;
        }
        catch (RequestFailedException error) when (error.IsConflict())
        {
            return false;
        }
    }

    private IAsyncEnumerable<BlobItem> ListAsync(BlobContainerClient container, CancellationToken cancellationToken) =>
        container
            .GetBlobsAsync(BlobTraits.None, BlobStates.None, $"{@namespace}/", cancellationToken)
            .Patiently(cancellationToken);

    // Its event should have come by now.
    private bool IsLate(BlobItem blob) => !age.IsYoungerThan(blob.Properties.LastModified, age.Options.EventTakes);

    // Since it was written, which is known to the second.
    private bool IsRefused(BlobItem blob) =>
        _refused.TryGetValue(Print(blob.Name), out var refused)
        && blob.Properties.LastModified is { } modified
        && modified.AddSeconds(1) <= refused.At;

    // A listing gives ETags without their quotes.
    private static string ETagOf(BlobItem blob) => $"\"{blob.Properties.ETag.ToString()!.Trim('"')}\"";
}
