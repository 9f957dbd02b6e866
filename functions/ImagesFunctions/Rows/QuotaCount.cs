using ImagesFunctions.Journal;

namespace ImagesFunctions.Rows;

/// <summary>
/// Counts what accounts with a quota take. The row <c>q</c> is a part of each commit that changes what it says: so it is exact, and
/// of pushes at the same time no more win than there is room for. Accounts without a quota pay nothing for it.
/// </summary>
internal static class QuotaCount
{
    private static readonly KeyRange s_blobs = Keys.All('b');

    /// <summary>Whether a row is one of those that are counted, by its key.</summary>
    public static bool IsCounted(string key) => s_blobs.Contains(key);

    /// <summary>Whether changes may be some of what an account takes: they are of rows <c>b</c>, too.</summary>
    public static bool MayChange(IEnumerable<Change> changes) => changes.Any(c => IsCounted(c.Key));

    /// <summary>Adds to a decision what it changes of the row <c>q</c>.</summary>
    /// <param name="view">What the decision has read.</param>
    /// <param name="decision">The decision.</param>
    /// <param name="isEnforced">Whether what does not fit is refused.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="QuotaExceededException">It adds more than there is room for.</exception>
    public static async Task<Decision<T>> CountedAsync<T>(
        this DecisionView view,
        Decision<T> decision,
        bool isEnforced,
        CancellationToken cancellationToken
    )
    {
        var blobs = decision.Changes.Where(c => IsCounted(c.Key)).ToList();
        if (
            blobs.Count == 0
            || QuotaRow.FromOrNull(await view.GetKeptAsync(Keys.Quota, cancellationToken)) is not { } quota
            || await view.ChangeAsync(blobs, cancellationToken) is var change && change == default
        )
        {
            return decision;
        }

        if (UsedRow.FromOrNull(await view.GetAsync(Keys.Used, cancellationToken)) is not { } used)
        {
            // Who counts for the first time has to count this anew.
            view.AddWrittenKey(Keys.Used);
            return decision;
        }

        if (isEnforced && change.Bytes > 0 && used.Bytes + change.Bytes > quota.Bytes)
        {
            // Who is refused is refused by the quota as it is now.
            quota = QuotaRow.FromOrNull(await view.GetAsync(Keys.Quota, cancellationToken));
            var added = await view.GetAllAsync(blobs.Where(c => c.IsNew).Select(c => c.Key), cancellationToken);
            // One that is there has been counted: the commit is refused, and the decision made again.
            if (quota is not null && used.Bytes + change.Bytes > quota.Bytes && added.Count == 0)
            {
                throw new QuotaExceededException(view.Partition, quota.Bytes, used.Bytes, change.Bytes);
            }
        }

        return decision with
        {
            Changes = [.. decision.Changes, new Change(Keys.Used, (used + change).ToRow())],
        };
    }

    // What these changes add to what the account takes.
    private static async Task<UsedRow> ChangeAsync(
        this DecisionView view,
        List<Change> blobs,
        CancellationToken cancellationToken
    )
    {
        // At the same time: below, each is waited for.
        await view.GetAllAsync(blobs.Where(c => !c.IsNew).Select(c => c.Key).Append(Keys.Used), cancellationToken);
        var change = default(UsedRow);
        foreach (var blob in blobs)
        {
            // That a new one is not there shows at the commit.
            var before = blob.IsNew ? null : await view.GetAsync(blob.Key, cancellationToken);
            change += UsedRow.Of(blob.Row) - UsedRow.Of(before);
        }

        return change;
    }
}
