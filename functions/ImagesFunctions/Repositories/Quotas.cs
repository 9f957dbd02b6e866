using ImagesFunctions.Journal;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>The quotas of accounts, which operators set, and what accounts with one take.</summary>
internal sealed class Quotas(RowStore rowStore, StorageAccount account)
{
    private const int MaxTries = 5;
    private static readonly string[] s_columns = ["size", "state"];

    /// <summary>The quota of an account in bytes, and what it takes; null where it has none.</summary>
    public async Task<(long Bytes, UsedRow? Used)?> GetAsync(string @namespace, CancellationToken cancellationToken) =>
        await rowStore.QuotaAsync(@namespace, cancellationToken) is (Quota: { } quota, var used)
            ? (quota.Bytes, used)
            : null;

    /// <summary>
    /// Sets the quota of an account, and counts what it takes. What it takes already stays, also where that is more. Another process
    /// may write a blob without counting it for <see cref="RecentPolicies.MaxAge"/>: the next collection counts anew.
    /// </summary>
    /// <param name="namespace">The account.</param>
    /// <param name="bytes">How many bytes it may store; null: any number.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="StorageUnavailableException">So much was written meanwhile that nothing could be counted: the next collection does that.</exception>
    public async Task SetAsync(string @namespace, long? bytes, CancellationToken cancellationToken)
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(account.Clock.UtcNow.ToUnixTimeMilliseconds());
        await rowStore.CommitAsync(
            @namespace,
            (_, _) =>
                Task.FromResult(
                    Decision.Of(
                        true,
                        bytes is { } limit
                            ? [new Change(Keys.Quota, new QuotaRow(limit, now).ToRow())]
                            : [new Change(Keys.Quota, null), new Change(Keys.Used, null)]
                    )
                ),
            cancellationToken
        );
        rowStore.Recent.Forget(@namespace);
        if (bytes is not null)
        {
            await rowStore.Due.AnnounceNowAsync(@namespace, cancellationToken);
            await CountAsync(@namespace, cancellationToken);
        }
    }

    private async Task CountAsync(string @namespace, CancellationToken cancellationToken)
    {
        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            if (await BeginAsync(@namespace, cancellationToken) is not { } recount)
            {
                return;
            }

            await foreach (
                var row in account
                    .ImageRows.StreamWithRetries(@namespace, Keys.All('b'), s_columns)
                    .WithCancellation(cancellationToken)
            )
            {
                recount.Add(row);
            }

            if (await recount.CommitAsync(cancellationToken))
            {
                return;
            }
        }

        throw new StorageUnavailableException($"what {@namespace} takes changed too fast to be counted");
    }

    /// <summary>Begins to count, before the first row is read; null for an account without a quota.</summary>
    public async Task<Recount?> BeginAsync(string @namespace, CancellationToken cancellationToken) =>
        await rowStore.GetAsync(@namespace, Keys.Quota, cancellationToken) is null
            ? null
            : new Recount(rowStore, @namespace, await rowStore.VersionAsync(@namespace, cancellationToken));
}

/// <summary>
/// Counts what an account takes from its rows <c>b</c>, while they change: rows that commits have written since it began are read again
/// in the decision that says what it came to.
/// </summary>
internal sealed class Recount(RowStore rowStore, string @namespace, JournalVersion began)
{
    // Each is read alone. Of more, a part would have changed again.
    private const int MaxChanged = 500;

    private readonly Dictionary<UInt128, UsedRow> _counted = [];

    /// <summary>Counts a row <c>b</c>, of which its size and its state have to be read.</summary>
    public void Add(TableRow row)
    {
        if (UsedRow.Of(row) is var used && used != default)
        {
            _counted[Fingerprint.Of(row.Key)] = used;
        }
    }

    /// <summary>Writes what the account takes, unless its row says so.</summary>
    /// <returns>False: too much has changed since.</returns>
    public Task<bool> CommitAsync(CancellationToken cancellationToken) =>
        rowStore.CommitAsync(@namespace, DecideAsync, cancellationToken);

    /// <summary>Decides about it.</summary>
    internal async Task<Decision<bool>> DecideAsync(DecisionView view, CancellationToken cancellationToken)
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

        return used == said ? Decision.Nothing(true) : Decision.Of(true, [new Change(Keys.Used, used.ToRow())]);
    }

    // Null where the log does not tell, or there are too many.
    private async Task<HashSet<string>?> ChangedAsync(DecisionView view, CancellationToken cancellationToken)
    {
        var changed = new HashSet<string>(StringComparer.Ordinal);
        for (var first = began.Seq + 1; first <= view.Seq; first += JournalReads.MaxEntries)
        {
            var last = Math.Min(view.Seq, first + JournalReads.MaxEntries - 1);
            var entries = await rowStore.EntriesAsync(@namespace, first, last, cancellationToken);
            changed.UnionWith(
                entries.SelectMany(e => e.Keys).Where(key => key.StartsWith("b!", StringComparison.Ordinal))
            );
            if (entries.Count <= last - first || entries.Any(e => !began.MayLeadTo(e)) || changed.Count > MaxChanged)
            {
                return null;
            }
        }

        return changed;
    }
}
