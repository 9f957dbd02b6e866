using ImagesFunctions.Journal;

namespace ImagesFunctions.Rows;

// Rows of verified blobs.
internal sealed partial class RowStore
{
    /// <summary>Whether what does not fit into a quota is refused. Who makes lost rows anew takes in whatever was there.</summary>
    public bool EnforcesQuotas { get; init; } = true;

    /// <summary>
    /// Writes the row of a verified blob, outside the namespace's order, which is allowed for new rows; by a commit of the order
    /// where the account has a quota and takes more or less by that. False when the row is no longer the one that was read (null:
    /// there was none).
    /// </summary>
    /// <param name="namespace">The account.</param>
    /// <param name="row">The row.</param>
    /// <param name="before">The row that was read; null: there was none.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <param name="isOwed">Whether an image that is there, and hides, needs it: then there is room for it.</param>
    /// <exception cref="QuotaExceededException">The account has no room for it. Nothing was changed.</exception>
    public async Task<bool> PutBlobAsync(
        string @namespace,
        BlobRow row,
        BlobRow? before,
        CancellationToken cancellationToken,
        bool isOwed = false
    )
    {
        var change = new Change(row.Key, row.ToRow(), before?.RowETag) { IsNew = before is null };
        if (UsedRow.Of(change.Row) != UsedRow.Of(before?.ToRow()) && await HasQuotaAsync(@namespace, cancellationToken))
        {
            var counted = Counted(
                @namespace,
                EnforcesQuotas && !isOwed,
                async (view, stop) =>
                    (await view.GetAsync(row.Key, stop))?.Version == before?.RowETag
                        ? Decision.Of(true, [change])
                        : Decision.Nothing(false)
            );
            return await JournalOf(@namespace).CommitAsync(counted, cancellationToken);
        }

        await Due.AnnounceAsync(@namespace, cancellationToken);
        return (await _table.PutAsync(@namespace, change, cancellationToken)).IsDone;
    }

    /// <summary>Whether the account had a quota a minute ago, or later.</summary>
    public async Task<bool> HasQuotaAsync(string @namespace, CancellationToken cancellationToken) =>
        (await Recent.GetAsync(@namespace, cancellationToken)).Quota is not null;

    /// <summary>Refuses what does not fit into the quota of an account, as far as it is known before it comes.</summary>
    /// <param name="namespace">The account.</param>
    /// <param name="bytes">How many bytes are to come.</param>
    /// <param name="key">The row of the blob that they are, where that is known: what is there already fits. Null: it is not.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="QuotaExceededException">There is no room for them.</exception>
    public async Task DemandRoomAsync(string @namespace, long bytes, string? key, CancellationToken cancellationToken)
    {
        if (
            EnforcesQuotas
            && bytes > 0
            && await HasQuotaAsync(@namespace, cancellationToken)
            && await QuotaAsync(@namespace, cancellationToken) is (Quota: { } quota, Used: { } used)
            && used.Bytes + bytes > quota.Bytes
            && (key is null || UsedRow.Of(await GetAsync(@namespace, key, cancellationToken)) == default)
        )
        {
            throw new QuotaExceededException(@namespace, quota.Bytes, used.Bytes, bytes);
        }
    }

    /// <summary>The quota of an account and what it takes, read after the call; null where there is none, or nobody has counted yet.</summary>
    public async Task<(QuotaRow? Quota, UsedRow? Used)> QuotaAsync(
        string @namespace,
        CancellationToken cancellationToken
    )
    {
        var (quota, used) = (
            GetAsync(@namespace, Keys.Quota, cancellationToken),
            GetAsync(@namespace, Keys.Used, cancellationToken)
        );
        await Task.WhenAll(quota, used);
        return (QuotaRow.FromOrNull(await quota), UsedRow.FromOrNull(await used));
    }
}
