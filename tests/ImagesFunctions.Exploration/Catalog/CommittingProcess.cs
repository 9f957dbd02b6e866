using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Catalog;

/// <summary>A process that commits decisions about the repository.</summary>
/// <param name="world">The world.</param>
/// <param name="actor">The process.</param>
/// <param name="storage">The table.</param>
internal abstract class CommittingProcess(World world, Actor actor, ModelStorage storage)
    : RowProcess(world, actor, storage)
{
    private readonly Quota? _quota = storage.Quota;

    /// <summary>The journal of the namespace.</summary>
    protected CountedJournal Journal { get; } =
        new(
            new PartitionJournal(
                new ModelTable(world, actor, storage),
                ModelStorage.Partition,
                Keys.IsInFull,
                new WorldTime(world, actor),
                new LongestWait()
            ),
            storage.Quota
        );

    /// <summary>Writes the row of a blob, by a commit where that is counted: see <c>RowStore.PutBlobAsync</c>.</summary>
    protected override async Task<bool> PutAsync(BlobRow row, BlobRow? before) =>
        _quota is null || UsedRow.Of(row.ToRow()) == UsedRow.Of(before?.ToRow())
            ? await base.PutAsync(row, before)
            : await Journal.CommitAsync(
                async (view, stop) =>
                    (await view.GetAsync(row.Key, stop))?.Version == before?.RowETag
                        ? Decision.Of(
                            true,
                            [new Change(row.Key, row.ToRow(), before?.RowETag) { IsNew = before is null }]
                        )
                        : Decision.Nothing(false),
                Never
            );
}
