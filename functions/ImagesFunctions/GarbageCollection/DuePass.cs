using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.GarbageCollection;

/// <summary>
/// Sweeps the namespaces that have something to collect by now, as notes say, and takes the walk over all of them on. Where there is
/// neither it costs one request. Several passes at once share the work.
/// </summary>
internal sealed class DuePass(
    StorageAccount account,
    Visits visits,
    SweepOptions options,
    SweepCounts counts,
    ILogger log
)
{
    private readonly DueRows _rows = new(account);

    private DateTimeOffset Now => account.Clock.UtcNow + options.Later;

    /// <summary>Makes one pass. Failures of storage that concern one namespace are logged and counted, not thrown.</summary>
    /// <param name="cancellationToken">Cancels it between any two steps; what it has not done stays noted.</param>
    /// <returns>How many namespaces were swept.</returns>
    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var (place, notes) = await _rows.ReadAsync(Now, cancellationToken);
        var walk = new Walk(account, _rows, visits, options, counts, log);
        await walk.RunAsync(place, cancellationToken);
        var swept = walk.Visited.Count;
        var due = notes
            .GroupBy(note => note.Namespace, StringComparer.Ordinal)
            .Select(group => group.ToList())
            .ToList();
        // From anywhere on: several passes begin at several places, and where none has the time for all each has its turn.
        var first = due.Count == 0 ? 0 : Random.Shared.Next(due.Count);
        foreach (var ofOne in due.Skip(first).Concat(due.Take(first)))
        {
            try
            {
                swept += await SweepAsync(ofOne, walk, cancellationToken) ? 1 : 0;
            }
            catch (Exception error) when (Visits.IsFailure(error) && !cancellationToken.IsCancellationRequested)
            {
                log.LogError(error, "What is noted of {Namespace} is left for the next pass", ofOne[0].Namespace);
                counts.Add(SweepKind.Failed);
            }
        }

        return swept;
    }

    private async Task<bool> SweepAsync(List<DueNote> notes, Walk walk, CancellationToken cancellationToken)
    {
        var @namespace = notes[0].Namespace;
        var isSwept = walk.Visited.Contains(@namespace);
        if (!isSwept)
        {
            // Refused, or taken already, where another sweeper is at work there.
            if (
                notes.Exists(note => note.Until > Now)
                || await _rows.ClaimAsync(notes[0], Now, cancellationToken) is not { } claimed
                || !await visits.VisitAsync(@namespace, options, dryRun: false, counts, cancellationToken)
            )
            {
                return false;
            }

            notes[0] = claimed;
        }

        // All of them were there before the namespace was swept.
        foreach (var note in notes)
        {
            await _rows.RemoveAsync(note, cancellationToken);
        }

        return !isSwept;
    }
}
