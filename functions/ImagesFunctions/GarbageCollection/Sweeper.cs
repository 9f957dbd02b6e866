using ImagesFunctions.Accounts;
using ImagesFunctions.Ingest;
using ImagesFunctions.Journal;
using ImagesFunctions.Policy;
using ImagesFunctions.Rebuild;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using ImagesFunctions.Telemetry;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.GarbageCollection;

/// <summary>
/// Removes what nothing needs any more, while everything else goes on: every removal is a commit like any other. A sweep that
/// is ended in the middle leaves nothing half-made that the next one does not finish, and several at once do no harm.
/// </summary>
internal sealed class Sweeper(
    StorageAccount account,
    RowStore rowStore,
    BlobIngest ingest,
    Visits visits,
    Rebuilder rebuilder,
    SweepOptions options,
    ILogger<Sweeper> log
)
{
    /// <summary>As the settings say.</summary>
    public SweepOptions Options => options;

    /// <summary>
    /// Sweeps what has something to collect by now, and looks at some of the rest, as the settings say: what hosts do once an hour.
    /// </summary>
    /// <param name="cancellationToken">Cancels it between any two steps.</param>
    /// <exception cref="StorageUnavailableException">Storage is away, as any exception of the Azure SDK says as well.</exception>
    public Task<SweepResult> PassAsync(CancellationToken cancellationToken) => PassAsync(options, cancellationToken);

    /// <summary>As the other overload, with other times.</summary>
    public async Task<SweepResult> PassAsync(SweepOptions times, CancellationToken cancellationToken)
    {
        var counts = new SweepCounts();
        await BeginAsync(counts, dryRun: false, cancellationToken);
        var swept = await new DuePass(account, visits, times, counts, log).RunAsync(cancellationToken);
        return End(counts, dryRun: false, swept);
    }

    /// <summary>Sweeps all namespaces now, whatever is noted.</summary>
    /// <param name="times">How long to leave things alone.</param>
    /// <param name="dryRun">Only count what would be done.</param>
    /// <param name="cancellationToken">Cancels it between any two steps.</param>
    /// <exception cref="StorageUnavailableException">Storage is away, as any exception of the Azure SDK says as well.</exception>
    public async Task<SweepResult> RunAsync(SweepOptions times, bool dryRun, CancellationToken cancellationToken)
    {
        var counts = new SweepCounts();
        await BeginAsync(counts, dryRun, cancellationToken);
        var all = await new Namespaces(account).AllAsync(cancellationToken);
        // From anywhere on: where no sweep has the time for all, each namespace has its turn.
        var first = all.Count == 0 ? 0 : Random.Shared.Next(all.Count);
        foreach (var @namespace in all.Skip(first).Concat(all.Take(first)))
        {
            await visits.VisitAsync(@namespace, times, dryRun, counts, cancellationToken);
        }

        return End(counts, dryRun, all.Count);
    }

    /// <summary>Sweeps one namespace now, whatever is noted, and nothing else.</summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="times">How long to leave things alone.</param>
    /// <param name="dryRun">Only count what would be done.</param>
    /// <param name="cancellationToken">Cancels it between any two steps.</param>
    /// <exception cref="StorageUnavailableException">Storage is away, as any exception of the Azure SDK says as well.</exception>
    public async Task<SweepResult> RunAsync(
        string @namespace,
        SweepOptions times,
        bool dryRun,
        CancellationToken cancellationToken
    )
    {
        var counts = new SweepCounts();
        await visits.VisitAsync(@namespace, times, dryRun, counts, cancellationToken);
        var result = counts.Result(dryRun);
        Tell(result, isDeadLetter: false);
        return result;
    }

    /// <summary>Finds what rules of retention would let go now: see <see cref="Visits.TryAsync"/>.</summary>
    public Task<(IReadOnlyList<RetiredImage> Images, long Bytes)> TryAsync(
        string @namespace,
        AccountRules rules,
        SweepOptions times,
        CancellationToken cancellationToken
    ) => visits.TryAsync(@namespace, rules, times, cancellationToken);

    private async Task BeginAsync(SweepCounts counts, bool dryRun, CancellationToken cancellationToken)
    {
        if (!dryRun)
        {
            await PrepareAsync(counts, cancellationToken);
        }

        // First: each of them names what is known to be missing.
        await new DeadLetterSweep(account, ingest, rowStore.Due, counts, log, dryRun).RunAsync(cancellationToken);
        // Told at once: the rest may take long.
        Tell(counts.Result(dryRun), isDeadLetter: true);
    }

    private SweepResult End(SweepCounts counts, bool dryRun, int swept)
    {
        var result = counts.Result(dryRun);
        Tell(result, isDeadLetter: false);
        if (!dryRun)
        {
            // Counted whatever it found: an alert counts on one a day.
            Metrics.Swept(Metrics.CompleteSweeps, 1);
        }

        log.LogInformation("Swept {Namespaces} namespaces: {Result}", swept, result);
        return result;
    }

    private static void Tell(SweepResult result, bool isDeadLetter)
    {
        foreach (
            var (kind, count) in result.Counts.Where(c =>
                !result.IsDryRun && (c.Key is SweepKind.DeadLetters or SweepKind.DeadLettersLeft) == isDeadLetter
            )
        )
        {
            Metrics.Swept(kind.ToString().ToLowerInvariant(), count);
        }
    }

    // A table that is lost is made anew before it could be swept, and tokens that have no backup get one.
    private async Task PrepareAsync(SweepCounts counts, CancellationToken cancellationToken)
    {
        if (await rebuilder.IsNeededAsync(cancellationToken))
        {
            var failed = (await rebuilder.RunAsync(cancellationToken)).Failed.Count;
            counts.Add(SweepKind.Failed, failed);
        }

        try
        {
            await new TokenBackup(account).BringForwardAsync(cancellationToken);
        }
        catch (Exception error) when (StorageErrors.IsFailure(error))
        {
            log.LogError(error, "Tokens were left without a backup");
            counts.Add(SweepKind.Left);
        }
    }
}
