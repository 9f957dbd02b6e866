using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>Removes the rows that say when an image was pulled which is gone.</summary>
internal sealed class PulledSweep(SweepRun run, Survey survey)
{
    // Until the day is over, processes rely on the row that they have written: the image may be pushed anew meanwhile.
    private static readonly TimeSpan s_after = TimeSpan.FromHours(1);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await foreach (var row in run.StreamAsync('l').WithCancellation(cancellationToken))
        {
            var pulled = PulledRow.From(row);
            if (
                !survey.IsLive(Fingerprint.Of(pulled.App, pulled.Image))
                && !run.Age.IsYoungerThan(pulled.Until, s_after)
            )
            {
                await run.RemoveRowAsync(row, SweepKind.Facts, cancellationToken);
            }
        }
    }
}
