using ImagesFunctions.Exploration.Catalog;
using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.GarbageCollection;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Rules;

/// <summary>A process that sets the rules of the account, pulls, or removes what the rules let go: see <c>RulesStore</c> and <c>RetentionSweep</c>.</summary>
internal class RuledProcess(World world, Actor actor, ModelStorage storage, ModelBlobs blobs)
    : RepositoryProcess(world, actor, storage, blobs)
{
    private const int MaxTries = 10;

    /// <summary>Sets the rules.</summary>
    public async Task SetAsync(AccountRules rules)
    {
        var row = new RulesRow(rules, DateTimeOffset.UnixEpoch, By: null)
        {
            PullsNotedSince = rules.NotesPulls ? DateTimeOffset.UnixEpoch : null,
        };
        try
        {
            await Journal.CommitAsync(
                (_, _) => Task.FromResult(Decision.Of(true, [new Change(Keys.Rules, row.ToRow())])),
                Never
            );
        }
        catch (Exception error) when (error is IOException or StorageUnavailableException)
        {
            // Nobody knows.
        }
    }

    /// <summary>Pulls an image of the namespace: see <c>PullNotes</c>.</summary>
    /// <returns>Whether it was there; false also where nobody knows.</returns>
    public async Task<bool> PullAsync(Digest image)
    {
        var pulled = new PulledRow(Goods.App, image, PulledRow.DayOf(DateTimeOffset.UnixEpoch + World.Now));
        try
        {
            return await Journal.CommitAsync((view, stop) => PullNotes.DecideAsync(view, pulled, stop), Never);
        }
        catch (Exception error) when (error is IOException or StorageUnavailableException)
        {
            return false;
        }
    }

    /// <summary>Removes what the rules let go. It suspects everything.</summary>
    public async Task RetireAsync()
    {
        try
        {
            var (isDone, found) = await Journal.TryCommitAsync(
                MaxTries,
                async (view, stop) =>
                {
                    var all = await FindAsync(view, stop);
                    var gone = all.ConvertAll(one => one.Image.Digest);
                    return Decision.Of(gone, [.. all.SelectMany(one => one.Changes)]);
                },
                Never
            );
            foreach (var digest in isDone ? found! : [])
            {
                await FinishOrTakeInAsync(digest);
            }
        }
        catch (Exception error) when (error is IOException or StorageUnavailableException)
        {
            // It is left to the next sweep.
        }
    }

    /// <summary>Decides what goes.</summary>
    protected virtual Task<List<(RetiredImage Image, List<Change> Changes)>> FindAsync(
        DecisionView view,
        CancellationToken cancellationToken
    )
    {
        var age = new SweepAge(DateTimeOffset.UnixEpoch + World.Now, new SweepOptions());
        return new RetentionGarbage(null!, new BlobGarbage(null!, null!, null!, age), null!, age).FindAsync(
            view,
            Goods.Repository,
            (List<Digest>)[.. Goods.Images],
            RetentionGarbage.Assumed.Nothing,
            cancellationToken
        );
    }
}
