using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Removes the rows of referrers that are gone.</summary>
internal sealed class ReferrerSweep(SweepRun run, Survey survey, RowGarbage garbage)
{
    public Task RunAsync(CancellationToken cancellationToken) =>
        run.InBatchesAsync(
            run.StreamAsync('r')
                .Where(row => ReferrerRow.From(row) is var r && !survey.IsLive(Fingerprint.Of(r.App, r.Digest)))
                .Select(row => row.Key),
            garbage.RemoveReferrersAsync,
            SweepKind.Referrers,
            cancellationToken
        );
}
