using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Reads refusals, removes those that have expired, and tries again what failed.</summary>
internal sealed class RefusalSweep(SweepRun run, Survey survey)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await foreach (var row in run.StreamAsync('x').WithCancellation(cancellationToken))
        {
            var refused = RefusedRow.From(row);
            if (refused.IsFailure)
            {
                await run.LandedAsync(refused.Path, SweepKind.Events, cancellationToken);
                continue;
            }

            survey.Refusals[Fingerprint.Of(refused.Path)] = new SeenRefusal(
                row.Timestamp ?? default,
                refused.ActualDigest is not null
            );
            if (refused.Expires <= run.Age.Now)
            {
                await RemoveAsync(row, cancellationToken);
            }
        }
    }

    private async Task RemoveAsync(TableRow row, CancellationToken cancellationToken)
    {
        var removal = new Change(row.Key, null, row.Version);
        // Refused where it was written anew.
        if (
            run.IsDryRun
            || (await run.Account.ImageRows.PutAsync(run.Namespace, removal, cancellationToken)).IsDone
        )
        {
            run.Counts.Add(SweepKind.Refusals);
        }
    }
}
