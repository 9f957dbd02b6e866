using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Reads refusals, removes those that have expired, and tries again what failed, or did not fit.</summary>
internal sealed class RefusalSweep(SweepRun run, Survey survey)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await foreach (var row in run.StreamAsync('x').WithCancellation(cancellationToken))
        {
            var refused = RefusedRow.From(row);
            if (refused.IsFailure)
            {
                // Only a path that was not taken in before is cleared of its refusal as it is.
                if (await run.LandedAsync(refused.Path, SweepKind.Events, cancellationToken))
                {
                    await run.RemoveRowAsync(row, kind: null, cancellationToken);
                }

                continue;
            }

            if (refused.IsOverQuota)
            {
                // There may be room for it by now. Where there is none, it is refused anew.
                await run.LandedAsync(refused.Path, kind: null, cancellationToken);
            }

            survey.Refusals[Fingerprint.Of(refused.Path)] = new SeenRefusal(
                row.Timestamp ?? default,
                refused.ActualDigest is not null
            );
            if (refused.Expires <= run.Age.Now || await IsOverAsync(refused, cancellationToken))
            {
                await run.RemoveRowAsync(row, SweepKind.Refusals, cancellationToken);
            }
            else
            {
                run.Age.Next.Add(refused.Expires);
            }
        }
    }

    // Good bytes are there, and who refused the ones before was killed before it could look again.
    private async Task<bool> IsOverAsync(RefusedRow refused, CancellationToken cancellationToken) =>
        refused.ActualDigest is not null
        && LayoutPath.TryParse(refused.Path, out var path, out _)
        && path is BlobPath blob
        && await run.Account.ImageRows.GetAsync(run.Namespace, Keys.Blob(blob), cancellationToken) is { } row
        && BlobRow.From(row).State == BlobState.Good;
}
