using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>
/// Counts what an account takes from its rows <c>b</c>, while they change: rows that commits have written since it began are read again
/// in the decision that says what it came to.
/// </summary>
/// <param name="began">A commit before the first row was read.</param>
/// <param name="entriesAsync">Reads the log from one commit to another, both included, as far as it is there.</param>
internal sealed class Recount(
    JournalVersion began,
    Func<long, long, CancellationToken, Task<IReadOnlyList<JournalEntry>>> entriesAsync
)
{
    // Each is read alone. Of more, a part would have changed again.
    private const int MaxChanged = 500;

    // Each may have close to 1 MiB.
    private const int EntriesAtOnce = 64;

    private readonly Dictionary<UInt128, UsedRow> _counted = [];

    /// <summary>Counts a row <c>b</c>, of which its size and its state have to be read.</summary>
    public void Add(TableRow row)
    {
        if (UsedRow.Of(row) is var used && used != default)
        {
            _counted[Fingerprint.Of(row.Key)] = used;
        }
    }

    /// <summary>Decides what the row <c>q</c> has to say.</summary>
    /// <returns>False: so much has changed since that it has to be counted anew.</returns>
    public async Task<Decision<bool>> DecideAsync(DecisionView view, CancellationToken cancellationToken)
    {
        if (await view.GetAsync(Keys.Quota, cancellationToken) is null)
        {
            return Decision.Nothing(true);
        }

        // Whoever changes one of them from here on changes this row, too.
        var said = UsedRow.FromOrNull(await view.GetAsync(Keys.Used, cancellationToken));
        if (await ChangedAsync(view, cancellationToken) is not { } changed)
        {
            return Decision.Nothing(false);
        }

        await view.GetAllAsync(changed, cancellationToken);
        var used = _counted.Values.Aggregate(default(UsedRow), (a, b) => a + b);
        foreach (var key in changed)
        {
            used +=
                UsedRow.Of(await view.GetAsync(key, cancellationToken))
                - _counted.GetValueOrDefault(Fingerprint.Of(key));
        }

        // What was read is of one moment where no commit came after it. Else it is written, which shows whether it was.
        var isQuiet =
            view.Seq >= began.Seq && (await entriesAsync(view.Seq + 1, view.Seq + 1, cancellationToken)).Count == 0;
        return used == said && isQuiet
            ? Decision.Nothing(true)
            : Decision.Of(true, [new Change(Keys.Used, used.ToRow())]);
    }

    // Null where the log does not tell, or there are too many.
    private async Task<HashSet<string>?> ChangedAsync(DecisionView view, CancellationToken cancellationToken)
    {
        var changed = new HashSet<string>(StringComparer.Ordinal);
        for (var first = began.Seq + 1; first <= view.Seq; first += EntriesAtOnce)
        {
            var last = Math.Min(view.Seq, first + EntriesAtOnce - 1);
            var entries = await entriesAsync(first, last, cancellationToken);
            changed.UnionWith(entries.SelectMany(e => e.Keys).Where(QuotaCount.IsCounted));
            if (entries.Count <= last - first || entries.Any(e => !began.MayLeadTo(e)) || changed.Count > MaxChanged)
            {
                return null;
            }
        }

        return changed;
    }
}
