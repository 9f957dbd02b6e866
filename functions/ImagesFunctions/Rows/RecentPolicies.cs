using System.Collections.Concurrent;
using ImagesFunctions.Journal;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Rows;

/// <summary>What an account keeps to: the rows <c>p</c> of its namespace.</summary>
/// <param name="Rules">Its rules; null where it has none.</param>
/// <param name="Quota">How much it may store; null where that is not limited.</param>
internal sealed record Policies(RulesRow? Rules, QuotaRow? Quota)
{
    /// <summary>Reads them from their rows.</summary>
    public static Policies Of(IReadOnlyList<TableRow> rows) =>
        new(ReadRules(rows), QuotaRow.FromOrNull(rows.FirstOrDefault(row => row.Key == Keys.Quota)));

    private static RulesRow? ReadRules(IReadOnlyList<TableRow> rows)
    {
        try
        {
            return RulesRow.FromOrNull(rows.FirstOrDefault(row => row.Key == Keys.Rules));
        }
        catch (InvalidOperationException)
        {
            // Of a newer version: who changes something is refused by that, and all else goes on.
            return null;
        }
    }
}

/// <summary>
/// What accounts kept to at most a minute ago: for what is done outside the namespace's order, a new blob and a pull, so that neither
/// costs a request more where there are no rules. A decision reads them as they are: <see cref="DecisionView.GetKeptAsync"/>.
/// </summary>
/// <param name="table">The table.</param>
/// <param name="time">Tells how long ago that was.</param>
internal sealed class RecentPolicies(StoredTable table, TimeProvider time)
{
    /// <summary>How long another process may not know what is set.</summary>
    public static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(1);

    // An account has a hundred bytes or two here, unless it has rules.
    private const int MaxAccounts = 50_000;

    private sealed record Read(Policies Policies, long At);

    private readonly ConcurrentDictionary<string, Read> _read = new(StringComparer.Ordinal);

    // Of many pulls at the end of the minute one or two read.
    private readonly CoalescedReads<Policies> _reads = new(
        async (ns, stop) => Policies.Of(await table.RangeAsync(ns, Keys.All('p'), stop)),
        of: "policies"
    );

    /// <summary>What an account keeps to.</summary>
    public async Task<Policies> GetAsync(string @namespace, CancellationToken cancellationToken)
    {
        if (_read.TryGetValue(@namespace, out var read) && time.GetElapsedTime(read.At) < MaxAge)
        {
            return read.Policies;
        }

        // Before the read: what is set meanwhile is not known for longer than any other.
        var at = time.GetTimestamp();
        var policies = await _reads.ReadAsync(@namespace, cancellationToken);
        if (_read.Count >= MaxAccounts)
        {
            _read.Clear();
        }

        _read[@namespace] = new Read(policies, at);
        return policies;
    }

    /// <summary>Forgets what was read of an account: this process has set something.</summary>
    public void Forget(string @namespace) => _read.TryRemove(@namespace, out _);
}
