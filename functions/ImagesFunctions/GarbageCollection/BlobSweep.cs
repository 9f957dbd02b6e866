using System.Runtime.CompilerServices;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Compares the rows of blobs with the list of the container <c>images</c>, and removes blobs that nothing needs.</summary>
internal sealed class BlobSweep(SweepRun run, Survey survey, BlobGarbage garbage)
{
    private const int MaxAtOnce = 8;

    // What tells which blob a row is of, and whether that was removed.
    private static readonly string[] s_columns = ["app", "digest", "state", "blob_etag"];

    private readonly StoredBlobs _stored = new(run.Account.Images);

    /// <summary>Reads all rows <c>b</c>.</summary>
    public async Task ReadRowsAsync(CancellationToken cancellationToken)
    {
        await foreach (var row in run.StreamAsync('b').WithCancellation(cancellationToken))
        {
            var blob = BlobRow.From(row);
            survey.Blobs[Fingerprint.Of(blob.App, blob.Digest)] = new SeenBlob(
                Fingerprint.Of(blob.BlobETag),
                blob.State,
                run.Age.IsYoung(row.Timestamp, blob.Pushed || blob.IsRemoved)
            )
            {
                IsRemoved = blob.IsRemoved,
            };
        }
    }

    /// <summary>Looks at each blob of the container. Those that are met are taken out of the survey.</summary>
    public Task SweepStoredAsync(CancellationToken cancellationToken) =>
        Parallel.ForEachAsync(
            ActionsAsync(cancellationToken),
            new ParallelOptions { MaxDegreeOfParallelism = MaxAtOnce, CancellationToken = cancellationToken },
            async (act, stop) => await act(stop)
        );

    /// <summary>
    /// Takes in that blobs are gone: rows of which the list of the container said nothing. The row of one that was removed goes when
    /// nobody can be under way any more who looked before that.
    /// </summary>
    public async Task FindGoneAsync(CancellationToken cancellationToken)
    {
        if (survey.Blobs.Count == 0)
        {
            return;
        }

        await foreach (var row in run.StreamAsync('b', s_columns).WithCancellation(cancellationToken))
        {
            var blob = BlobRow.From(row);
            if (!survey.Blobs.TryGetValue(Fingerprint.Of(blob.App, blob.Digest), out var seen))
            {
                continue;
            }

            if (!seen.IsRemoved)
            {
                await run.LandedAsync(run.PathOf(blob.App, blob.Digest), KindOf(seen), cancellationToken);
            }
            else if (blob.IsRemoved && !run.Age.IsYoung(row.Timestamp, pushed: true))
            {
                // Refused where the blob comes again.
                await run.RemoveRowAsync(row, kind: null, cancellationToken);
            }
        }
    }

    private async IAsyncEnumerable<Func<CancellationToken, Task>> ActionsAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (var blob in _stored.ListAsync($"{run.Namespace}/", uncommitted: false, cancellationToken))
        {
            if (ActionOn(blob) is { } act)
            {
                yield return act;
            }
        }
    }

    // Null where there is nothing to do.
    private Func<CancellationToken, Task>? ActionOn(BlobListing blob)
    {
        if (!LayoutPath.TryParse(blob.Name, out var path, out _))
        {
            // It is no file of a layout, and its owner may need it: refused, but never removed.
            return IsEventLost(blob) ? stop => run.LandedAsync(blob.Name, SweepKind.Events, stop) : null;
        }

        if (path is BlobPath blobPath)
        {
            return ActionOn(blob, blobPath);
        }

        var isApplied =
            path is not IndexPath
            || (survey.Layouts.Remove(path.Repository.App, out var applied) && applied == blob.ETag);
        return !isApplied && IsEventLost(blob) ? stop => run.LandedAsync(path, SweepKind.Events, stop) : null;
    }

    private Func<CancellationToken, Task>? ActionOn(BlobListing blob, BlobPath path)
    {
        var fingerprint = Fingerprint.Of(path.Repository.App, path.Digest);
        SeenBlob? seen = survey.Blobs.Remove(fingerprint, out var row) ? row : null;
        if (seen is not { State: BlobState.Good } || seen.Value.ETag != Fingerprint.Of(blob.ETag))
        {
            return stop => NotCurrentAsync(blob, path, seen, stop);
        }

        return !seen.Value.IsYoung && !survey.IsLive(fingerprint) && !survey.Needed.Contains(fingerprint)
            ? stop => RemoveAsync(path, blob, stop)
            : null;
    }

    private async Task RemoveAsync(BlobPath path, BlobListing blob, CancellationToken cancellationToken)
    {
        if (blob.IsLeased)
        {
            // Marked, it could not even be pushed again before the lease ends.
            run.Counts.Add(SweepKind.Left);
        }
        else if (await run.TryAsync(() => garbage.RemoveAsync(path, cancellationToken)) > 0)
        {
            Count(blob.Size);
        }
    }

    // Its row is missing, is of other bytes, or says that it goes.
    private async Task NotCurrentAsync(
        BlobListing blob,
        BlobPath path,
        SeenBlob? seen,
        CancellationToken cancellationToken
    )
    {
        if (seen is { State: not BlobState.Good, IsRemoved: false } marked)
        {
            await run.LandedAsync(path, KindOf(marked), cancellationToken);
        }
        else if (IsEventLost(blob))
        {
            await run.LandedAsync(path, SweepKind.Events, cancellationToken);
        }
        else if (
            RefusalOf(blob) is { WrongBytes: true }
            && !run.Age.IsYoung(blob.LastModified, pushed: false)
            && (run.IsDryRun || await _stored.DeleteAsync(blob.Name, blob.ETag, cancellationToken))
        )
        {
            // Nothing can need bytes that are not what their name says: there is no row to decide about.
            Count(blob.Size);
            await run.LandedAsync(path, kind: null, cancellationToken);
        }
    }

    private void Count(long size)
    {
        run.Counts.Add(SweepKind.Blobs);
        run.Counts.Add(SweepKind.Bytes, size);
    }

    // It should have come by now, and nothing says that it did.
    private bool IsEventLost(BlobListing blob) =>
        RefusalOf(blob) is null && !run.Age.IsYoungerThan(blob.LastModified, run.Age.Options.EventTakes);

    // Since it was written, which is known to the second.
    private SeenRefusal? RefusalOf(BlobListing blob) =>
        survey.Refusals.TryGetValue(Fingerprint.Of(blob.Name), out var refusal)
        && blob.LastModified is { } modified
        && modified.AddSeconds(1) <= refusal.At
            ? refusal
            : null;

    private static SweepKind KindOf(SeenBlob blob) =>
        blob.State == BlobState.Deleting ? SweepKind.Removals : SweepKind.Events;
}
