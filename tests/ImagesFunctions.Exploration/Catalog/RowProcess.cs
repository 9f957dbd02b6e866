using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Catalog;

/// <summary>A process that reads and writes rows of the repository outside the partition's order: see <c>RowStore</c>.</summary>
/// <param name="world">The world.</param>
/// <param name="actor">The process.</param>
/// <param name="storage">The table.</param>
internal abstract class RowProcess(World world, Actor actor, ModelStorage storage)
{
    private readonly ModelTable _table = new(world, actor, storage);

    /// <summary>The world.</summary>
    protected World World { get; } = world;

    /// <summary>The process.</summary>
    protected Actor Actor { get; } = actor;

    /// <summary>Nobody ends what is explored.</summary>
    protected static CancellationToken Never => CancellationToken.None;

    /// <summary>The row of a blob, or null.</summary>
    protected async Task<BlobRow?> BlobAsync(Digest digest) =>
        await GetAsync(Keys.Blob(Goods.App, digest)) is { } row ? BlobRow.From(row) : null;

    /// <summary>The rows <c>n</c> of a digest.</summary>
    protected async Task<List<DependencyRow>> DependentsAsync(Digest digest) =>
        [
            .. (await _table.RangeAsync(ModelStorage.Partition, Keys.Dependencies(Goods.App, digest), Never)).Select(
                DependencyRow.From
            ),
        ];

    /// <summary>A row, or null.</summary>
    protected Task<TableRow?> GetAsync(string key) => _table.GetAsync(ModelStorage.Partition, key, Never);

    /// <summary>The rows of a range.</summary>
    protected Task<IReadOnlyList<TableRow>> RangeAsync(KeyRange range) =>
        _table.RangeAsync(ModelStorage.Partition, range, Never);

    /// <summary>Writes the row of a blob outside the order: see <c>RowStore.PutBlobAsync</c>.</summary>
    protected virtual Task<bool> PutAsync(BlobRow row, BlobRow? before) =>
        SendAsync(new Change(row.Key, row.ToRow(), before?.RowETag) { IsNew = before is null });

    /// <summary>Writes one row: see <see cref="ModelTable.WriteAgainAsync"/>. False where it is refused.</summary>
    protected async Task<bool> SendAsync(Change change) => (await _table.WriteAgainAsync(change)).IsDone;

    /// <summary>Writes rows that are the same when they are written twice.</summary>
    protected async Task PutAllAsync(IReadOnlyList<Change> changes)
    {
        if (!(await _table.WriteAgainAsync(changes)).IsDone)
        {
            throw new IOException("storage refuses what has no condition");
        }
    }
}
