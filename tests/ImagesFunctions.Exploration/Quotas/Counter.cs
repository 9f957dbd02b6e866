using ImagesFunctions.Exploration.Catalog;
using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Quotas;

/// <summary>A process that counts what the account takes, row by row: see <c>UsageSweep</c>.</summary>
internal class Counter(World world, Actor actor, ModelStorage storage, ModelBlobs blobs)
    : RepositoryProcess(world, actor, storage, blobs)
{
    private readonly ModelTable _table = new(world, actor, storage);

    /// <summary>Whether it has said what the account takes.</summary>
    public bool IsDone { get; private set; }

    /// <summary>Reads the log.</summary>
    protected virtual Task<IReadOnlyList<JournalEntry>> EntriesAsync(long first, long last) =>
        _table.EntriesAsync(ModelStorage.Partition, first, last, Never);

    /// <summary>Counts.</summary>
    public async Task CountAsync()
    {
        try
        {
            var recount = new Recount(
                await _table.VersionAsync(ModelStorage.Partition, Never),
                (first, last, _) => EntriesAsync(first, last)
            );
            // One after the other, as the pages of a long account.
            foreach (var digest in Goods.Images.Append(Goods.Layer))
            {
                if (await GetAsync(Keys.Blob(Goods.App, digest)) is { } row)
                {
                    recount.Add(row);
                }
            }

            IsDone = await Journal.CommitAsync(recount.DecideAsync, Never);
        }
        catch (Exception error) when (error is IOException or StorageUnavailableException)
        {
            // The next collection counts.
        }
    }
}
