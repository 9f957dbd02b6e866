using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.GarbageCollection;

/// <summary>
/// Removes the images of a namespace that its rules let go, repository by repository. It costs one request where there are no such
/// rules. Suspects are found by what rows said a moment ago; <see cref="RetentionGarbage"/> decides.
/// </summary>
/// <param name="run">The sweep.</param>
/// <param name="garbage">Decides.</param>
/// <param name="assumed">The rules of a trial; null: those that are set.</param>
internal sealed class RetentionSweep(SweepRun run, RetentionGarbage garbage, AccountRules? assumed = null)
{
    // An index in an index in an index, each of which keeps the next.
    private const int MaxPasses = 10;

    private static readonly string[] s_columns = [.. ImageHead.Columns, "committed", "subject"];

    private readonly List<RetiredImage> _retired = [];

    /// <summary>Removes them; where nothing may be changed, finds them.</summary>
    /// <returns>All of them.</returns>
    public async Task<IReadOnlyList<RetiredImage>> RunAsync(CancellationToken cancellationToken)
    {
        if (
            !Repository.IsNamespace(run.Namespace)
            || await RulesAsync(cancellationToken) is not { Rules.Removes: true } rules
        )
        {
            return _retired;
        }

        var heads = new List<RetentionHead>();
        await foreach (var row in run.StreamAsync('i', s_columns).WithCancellation(cancellationToken))
        {
            var head = RetentionHead.From(row);
            if (heads.Count > 0 && heads[0].App != head.App)
            {
                await OfAppAsync(rules, heads, cancellationToken);
                heads.Clear();
            }

            heads.Add(head);
        }

        if (heads.Count > 0)
        {
            await OfAppAsync(rules, heads, cancellationToken);
        }

        return _retired;
    }

    private Task<RetentionRules> RulesAsync(CancellationToken cancellationToken) =>
        RetentionRules.ReadAsync(
            assumed,
            () => run.Account.ImageRows.GetAsync(run.Namespace, Keys.Rules, cancellationToken)
        );

    private async Task OfAppAsync(RetentionRules rules, List<RetentionHead> heads, CancellationToken cancellationToken)
    {
        if (rules.Rules.RetentionOf(heads[0].App) is not { } retention || !IsAnyOld(heads, retention.Earliest))
        {
            return;
        }

        var suspects = await RetentionSuspects.ReadAsync(run, rules, retention, heads, cancellationToken);
        for (var (pass, isAny) = (0, true); isAny && pass < MaxPasses; pass++)
        {
            isAny = false;
            foreach (var batch in suspects.Now(run.Age).Chunk(RetentionGarbage.MaxImages))
            {
                isAny |= await RemoveAsync(run.RepositoryOf(heads[0].App), batch, suspects, cancellationToken);
            }
        }
    }

    // Where all are young there is nothing to read: not before the first of them is old.
    private bool IsAnyOld(List<RetentionHead> heads, TimeSpan earliest)
    {
        if (heads.Exists(head => head.Committed is not { } at || at <= run.Age.Now - earliest))
        {
            return true;
        }

        run.Age.IsYoungerThan(heads.Min(head => head.Committed), earliest);
        return false;
    }

    private async Task<bool> RemoveAsync(
        Repository repository,
        IReadOnlyList<Digest> batch,
        RetentionSuspects suspects,
        CancellationToken cancellationToken
    )
    {
        var removable = new List<Digest>();
        foreach (var digest in batch)
        {
            if (await run.TryAsync(() => IsRemovableAsync(repository, digest, cancellationToken)) > 0)
            {
                removable.Add(digest);
            }
        }

        IReadOnlyList<RetiredImage> removed = [];
        // What is gone for others is gone; in a trial it is assumed to be.
        var trial = run.IsDryRun
            ? new RetentionGarbage.Assumed(assumed, suspects.Gone)
            : RetentionGarbage.Assumed.Nothing;
        await run.TryAsync(async () =>
        {
            var result = await garbage.RemoveAsync(repository, removable, trial, cancellationToken);
            removed = result ?? [];
            return result?.Count ?? Garbage.Busy;
        });
        foreach (var image in removed)
        {
            _retired.Add(image);
            suspects.Gone.Add(image.Digest);
            run.Counts.Add(SweepKind.Images);
            run.Counts.Add(SweepKind.Bytes, image.Size);
            await run.TryAsync(async () =>
            {
                await garbage.FinishAsync(image, cancellationToken);
                return 0;
            });
        }

        return removed.Count > 0;
    }

    private async Task<int> IsRemovableAsync(Repository repository, Digest digest, CancellationToken cancellationToken)
    {
        try
        {
            await garbage.DemandRemovableAsync(repository, digest, cancellationToken);
            return 1;
        }
        catch (StorageHeldException) when (run.IsDryRun)
        {
            return 0;
        }
    }
}
