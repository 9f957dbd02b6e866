using ImagesFunctions.Journal;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>The quotas of accounts, which operators set, and what accounts with one take.</summary>
internal sealed class Quotas(RowStore rowStore, StorageAccount account)
{
    private const int MaxTries = 5;

    // Each commit that is counted has it decided again.
    private const int MaxCommits = 10;
    private static readonly string[] s_columns = ["size", "state"];

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
            async (view, stop) =>
                bytes is { } limit
                    ? Decision.Of(true, [new Change(Keys.Quota, new QuotaRow(limit, now).ToRow())])
                    : Decision.Of(
                        true,
                        [
                            .. (await view.GetAllAsync([Keys.Quota, Keys.Used], stop)).Select(row => new Change(
                                row.Key,
                                null
                            )),
                        ]
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

            if (await CommitAsync(@namespace, recount, cancellationToken))
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
            : new Recount(
                await rowStore.VersionAsync(@namespace, cancellationToken),
                (first, last, stop) => rowStore.EntriesAsync(@namespace, first, last, stop)
            );

    /// <summary>Writes what the account takes, unless its row says so.</summary>
    /// <returns>False: so much has changed meanwhile that it has to be counted anew.</returns>
    public async Task<bool> CommitAsync(string @namespace, Recount recount, CancellationToken cancellationToken) =>
        await rowStore.TryCommitAsync(@namespace, MaxCommits, recount.DecideAsync, cancellationToken)
            is (IsDone: true, Result: true);
}
