using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Exploration.Journal;

/// <summary>Keeps a list and brings it up to date, as a namespace's list is: from the log, or by a scan where that is not enough.</summary>
/// <param name="world">The world.</param>
/// <param name="storage">The table, to check the list against.</param>
/// <param name="table">The table as its process sees it.</param>
/// <param name="journal">The process's journal.</param>
/// <param name="lists">How often it lists.</param>
public sealed class Lister(World world, ModelStorage storage, IJournalTable table, PartitionJournal journal, int lists)
{
    private const string Partition = ModelStorage.Partition;

    private static readonly KeyRange s_rows = new("a", "e");

    private SortedDictionary<string, TableRow> _kept = new(StringComparer.Ordinal);
    private JournalVersion _version = new(0, null);

    /// <summary>Lists.</summary>
    public async Task RunAsync()
    {
        for (var i = 0; i < lists; i++)
        {
            var before = storage.Truth.Seq;
            try
            {
                await ListAsync();
            }
            catch (Exception error) when (error is StorageUnavailableException or IOException)
            {
                continue;
            }

            if (_version.Seq < before)
            {
                world.Fail($"a list of commit {_version.Seq} was asked for after commit {before}");
            }

            var (listed, rows) = (Text(_kept), Text(storage.Truth.After(_version.Seq)));
            if (listed != rows)
            {
                world.Fail($"the list of commit {_version.Seq} is [{listed}], and should be [{rows}]");
            }
        }
    }

    // The log stands between the rows of a and d.
    private static bool IsListed(string key) => key.Length == 1 && s_rows.Contains(key);

    private static string Text(SortedDictionary<string, TableRow> rows) =>
        string.Join(' ', rows.Where(r => IsListed(r.Key)).Select(r => $"{r.Key}={r.Value.GetString("by")}"));

    private async Task ListAsync()
    {
        var version = await table.VersionAsync(Partition, CancellationToken.None);
        if (await journal.ChangesAsync(IsListed, _version, version, CancellationToken.None) is { } changes)
        {
            Apply(changes);
            _version = version;
            return;
        }

        for (var attempt = 1; attempt <= 5; attempt++)
        {
            _kept = new SortedDictionary<string, TableRow>(StringComparer.Ordinal);
            var from = await table.VersionAsync(Partition, CancellationToken.None);
            foreach (var row in await table.RangeAsync(Partition, s_rows, CancellationToken.None))
            {
                if (IsListed(row.Key))
                {
                    _kept[row.Key] = row;
                }
            }

            var to = await table.VersionAsync(Partition, CancellationToken.None);
            if (await journal.ChangesAsync(IsListed, from, to, CancellationToken.None) is { } meanwhile)
            {
                Apply(meanwhile);
                _version = to;
                return;
            }
        }

        throw new StorageUnavailableException("the log has gaps each time");
    }

    private void Apply(IReadOnlyDictionary<string, TableRow?> changes)
    {
        foreach (var (key, row) in changes)
        {
            if (row is null)
            {
                _kept.Remove(key);
            }
            else
            {
                _kept[key] = row;
            }
        }
    }
}

/// <summary>Renews a row outside the partition's order, each time if it is as it was read, as a push renews a blob's row.</summary>
/// <param name="table">The table as its process sees it.</param>
/// <param name="times">How often.</param>
public sealed class Renewer(IJournalTable table, int times)
{
    /// <summary>How often it was told that the row is renewed.</summary>
    public int Renewed { get; private set; }

    /// <summary>How often it was told nothing.</summary>
    public int Unclear { get; private set; }

    /// <summary>Renews.</summary>
    public async Task RunAsync()
    {
        for (var i = 0; i < times; i++)
        {
            try
            {
                var row = await table.GetAsync(ModelStorage.Partition, CallPlan.Outside, CancellationToken.None);
                var renewed = new TableRow(CallPlan.Outside)
                {
                    ["renewals"] = (row?.GetInt64("renewals") ?? 0) + 1,
                    ["marks"] = row?.GetInt64("marks") ?? 0,
                };
                var change = new Change(renewed.Key, renewed, row?.Version) { IsNew = row is null };
                var result = await table.WriteAsync(ModelStorage.Partition, [change], CancellationToken.None);
                Renewed += result.IsDone ? 1 : 0;
                Unclear += result.Outcome == WriteOutcome.Unclear ? 1 : 0;
            }
            catch (IOException)
            {
                // It could not be read.
            }
        }
    }
}

/// <summary>Trims the log as a sweep does: from its beginning, what is older than an hour by the table's clock.</summary>
/// <param name="world">The world.</param>
/// <param name="table">The table as its process sees it.</param>
/// <param name="keeps">How long an entry is kept.</param>
public sealed class Trimmer(World world, IJournalTable table, TimeSpan keeps)
{
    /// <summary>How long the log is kept.</summary>
    public static TimeSpan Kept { get; } = TimeSpan.FromHours(1);

    /// <summary>Trims.</summary>
    public async Task RunAsync()
    {
        try
        {
            var rows = await table.RangeAsync(ModelStorage.Partition, JournalKeys.Entries, CancellationToken.None);
            Change[] old =
            [
                .. rows.TakeWhile(row => DateTimeOffset.UnixEpoch + world.Now - row.Timestamp >= keeps)
                    .Select(row => new Change(row.Key, null)),
            ];
            if (old.Length > 0)
            {
                await table.WriteAsync(ModelStorage.Partition, old, CancellationToken.None);
            }
        }
        catch (IOException)
        {
            // It is left to the next sweep.
        }
    }
}
