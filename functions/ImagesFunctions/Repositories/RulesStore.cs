using ImagesFunctions.Journal;
using ImagesFunctions.Policy;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>The rules of accounts as they are set: what is committed next keeps to them, in every process.</summary>
internal sealed class RulesStore(RowStore rowStore, StorageClock clock)
{
    /// <summary>The rules that an account has set last, read after the call; null where it never has.</summary>
    public async Task<RulesRow?> GetAsync(string account, CancellationToken cancellationToken) =>
        RulesRow.FromOrNull(await rowStore.GetAsync(account, Keys.Rules, cancellationToken));

    /// <summary>Sets the rules of an account, in the place of those before.</summary>
    /// <param name="account">The account.</param>
    /// <param name="rules">The rules; none of them: all are taken back.</param>
    /// <param name="by">Who sets them; null for an operator.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<RulesRow> SetAsync(
        string account,
        AccountRules rules,
        Author? by,
        CancellationToken cancellationToken
    )
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(clock.UtcNow.ToUnixTimeMilliseconds());
        var set = await rowStore.CommitAsync(
            account,
            async (view, stop) =>
            {
                var row = new RulesRow(rules, now, by)
                {
                    PullsNotedSince = rules.NotesPulls ? await PullsNotedAsync(view, stop) ?? now : null,
                };
                return Decision.Of(row, [new Change(Keys.Rules, row.ToRow())]) with { By = by?.Text };
            },
            cancellationToken
        );
        rowStore.Recent.Forget(account);
        return set;
    }

    // Since when the rules before ask for it; null where they do not.
    private static async Task<DateTimeOffset?> PullsNotedAsync(DecisionView view, CancellationToken cancellationToken)
    {
        try
        {
            return RulesRow.FromOrNull(await view.GetAsync(Keys.Rules, cancellationToken))?.PullsNotedSince;
        }
        catch (InvalidOperationException)
        {
            // Of a newer version: they make way for what this one knows.
            return null;
        }
    }

    /// <summary>The tags that are there and would stay what they are by some rules, as <c>app:tag</c>, in order.</summary>
    public async Task<IReadOnlyList<string>> ImmutableAsync(
        string account,
        AccountRules rules,
        CancellationToken cancellationToken
    )
    {
        var rows = await rowStore.NamespaceAsync(account, app: null, cancellationToken);
        return
        [
            .. rows
                .Tags.Values.Where(t =>
                    rules.ImmutableBy(t.App, t.Tag) is not null
                    && rows.Images.TryGetValue(Keys.Image(t.App, t.Digest), out var image)
                    && image.Generation == t.Generation
                )
                .Select(t => $"{t.App}:{t.Tag}"),
        ];
    }
}
