using ImagesFunctions.Journal;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>
/// Adds up the blobs of a namespace, by their rows as a sweep has left them, and writes down for who asks what the namespace takes.
/// Images and tags are those that the sweep has met and left.
/// </summary>
internal sealed class UsageSweep(SweepRun run, Survey survey, Quotas quotas)
{
    private static readonly string[] s_columns = ["app", "size", "state"];

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // Refusals without a namespace are no account's.
        if (!run.IsDryRun && Repository.IsNamespace(run.Namespace))
        {
            await run.TryAsync(async () =>
            {
                await WriteAsync(cancellationToken);
                return 0;
            });
        }
    }

    private async Task WriteAsync(CancellationToken cancellationToken)
    {
        var at = run.Account.Clock.UtcNow;
        var recount = await quotas.BeginAsync(run.Namespace, cancellationToken);
        await foreach (var row in run.StreamAsync('b', s_columns).WithCancellation(cancellationToken))
        {
            recount?.Add(row);
            if (BlobRow.StateOf(row) == BlobState.Good)
            {
                var count = survey.Usage.Of(row.Text("app"));
                count.Blobs++;
                count.Bytes += row.GetInt64("size") ?? 0;
            }
        }

        // Of what never had a commit nothing is left behind: it would be a namespace for ever.
        var usage = new AccountUsage(at, survey.Usage.Repositories);
        if (
            usage.Repositories.Count > 0
            || (await run.Account.ImageRows.VersionAsync(run.Namespace, cancellationToken)).Seq > 0
        )
        {
            await new UsageReports(run.Account).WriteAsync(run.Namespace, usage, cancellationToken);
        }

        if (recount is not null)
        {
            // Where too much has changed meanwhile, the next one counts.
            await quotas.CommitAsync(run.Namespace, recount, cancellationToken);
        }
    }
}
