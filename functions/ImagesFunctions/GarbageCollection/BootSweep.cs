using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Removes the rows of boot tars whose image is gone. What is lost all the same is made again by its next reader.</summary>
internal sealed class BootSweep(SweepRun run, Survey survey)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await foreach (var row in run.StreamAsync('o').WithCancellation(cancellationToken))
        {
            var boot = BootRow.From(row);
            if (!survey.IsLive(Fingerprint.Of(boot.App, boot.Image)))
            {
                await run.RemoveRowAsync(row, SweepKind.Facts, cancellationToken);
            }
        }
    }
}
