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
                await run.RemoveRowAsync(row, SweepKind.Refusals, cancellationToken);
            }
        }
    }
}
