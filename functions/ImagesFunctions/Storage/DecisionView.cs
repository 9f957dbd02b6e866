using System.Runtime.CompilerServices;
using Azure;
using Azure.Data.Tables;

namespace ImagesFunctions.Storage;

/// <summary>
/// A namespace as a decision sees it: every read happens after commit <see cref="Seq"/>, and is recorded, so that a
/// later commit is known to leave the decision standing or not.
/// </summary>
internal sealed class CatalogView(TableClient table, string @namespace, long seq)
{
    private readonly Lock _gate = new();
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly List<KeyRange> _ranges = [];
    private readonly HashSet<string> _announced = new(StringComparer.Ordinal);

    public string Namespace => @namespace;

    public long Seq => seq;

    /// <summary>The keys of <see cref="Announce"/>.</summary>
    public IReadOnlyCollection<string> Announced => _announced;

    /// <summary>The row, or null.</summary>
    public async Task<TableEntity?> GetAsync(string key, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _keys.Add(key);
        }

        return await table.GetAsync(@namespace, key, cancellationToken);
    }

    /// <summary>The rows of a range, in the order of their keys.</summary>
    public async Task<List<TableEntity>> RangeAsync(KeyRange range, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            _ranges.Add(range);
        }

        return await table.RangeAsync(@namespace, range, cancellationToken);
    }

    /// <summary>Counts a key as read, without reading it: whoever announces or changes it makes this decision stale.</summary>
    public void Watch(string key)
    {
        lock (_gate)
        {
            _keys.Add(key);
        }
    }

    /// <summary>
    /// Counts a key as changed by this decision's commit, without writing it. For rows that were written before, outside the
    /// namespace's order, and count from this commit on, such as who needs a blob: it makes decisions stale that read them.
    /// </summary>
    public void Announce(string key)
    {
        lock (_gate)
        {
            _announced.Add(key);
        }
    }

    /// <summary>Whether a commit that changed these keys may have changed what was read here.</summary>
    public bool IsTouchedBy(IEnumerable<string> changed)
    {
        lock (_gate)
        {
            return changed.Any(key => _keys.Contains(key) || _ranges.Exists(r => r.Contains(key)));
        }
    }
}

/// <summary>One row that a decision writes, or removes.</summary>
/// <param name="Key">The row key.</param>
/// <param name="Entity">The whole new row; null to remove it.</param>
/// <param name="IfMatch">
/// The ETag of the row as it was read, for rows that others may write outside the namespace's order; null for the rest.
/// </param>
internal sealed record Change(string Key, TableEntity? Entity, ETag? IfMatch = null)
{
    /// <summary>The most rows one decision may write: a transaction holds 100, two of which are the version and the log entry.</summary>
    public const int Most = 98;

    /// <summary>About how many characters the row's values take.</summary>
    public int Length { get; } =
        Key.Length + (Entity?.Sum(p => p.Key.Length + ((p.Value as string)?.Length ?? 8)) ?? 0);
}

/// <summary>What was decided: an answer, and the rows to write so that it becomes true. No rows: there is nothing to do.</summary>
internal sealed record Decision<T>(T Result, IReadOnlyList<Change> Changes);

internal static class Decision
{
    public static Decision<T> Nothing<T>(T result) => new(result, []);

    public static Decision<T> Of<T>(T result, IReadOnlyList<Change> changes) => new(result, changes);
}

internal static class TableReads
{
    /// <summary>The row, or null.</summary>
    public static async Task<TableEntity?> GetAsync(
        this TableClient table,
        string partition,
        string key,
        CancellationToken cancellationToken
    )
    {
        var answer = await table.GetEntityIfExistsAsync<TableEntity>(
            partition,
            key,
            cancellationToken: cancellationToken
        );
        return answer.HasValue ? answer.Value : null;
    }

    /// <summary>The rows of a range, in the order of their keys.</summary>
    public static async Task<List<TableEntity>> RangeAsync(
        this TableClient table,
        string partition,
        KeyRange range,
        CancellationToken cancellationToken
    )
    {
        var rows = new List<TableEntity>();
        await foreach (var row in table.Stream(partition, range).WithCancellation(cancellationToken))
        {
            rows.Add(row);
        }

        return rows;
    }

    /// <summary>The same items; while one is used, the next one is already fetched.</summary>
    public static async IAsyncEnumerable<T> Ahead<T>(
        this IAsyncEnumerable<T> items,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await using var all = items.GetAsyncEnumerator(cancellationToken);
        var next = all.MoveNextAsync().AsTask();
        try
        {
            while (await next)
            {
                var item = all.Current;
                next = all.MoveNextAsync().AsTask();
                yield return item;
            }
        }
        finally
        {
            // It must not be disposed of while it moves.
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>As <see cref="RangeAsync"/>, a page at a time: rows that are written meanwhile may or may not be among them.</summary>
    /// <param name="table">The table.</param>
    /// <param name="partition">The partition.</param>
    /// <param name="range">The row keys.</param>
    /// <param name="properties">What to fetch of each row, without its keys; null for all.</param>
    public static AsyncPageable<TableEntity> Stream(
        this TableClient table,
        string partition,
        KeyRange range,
        params string[]? properties
    ) =>
        table.QueryAsync<TableEntity>(
            TableClient.CreateQueryFilter(
                $"PartitionKey eq {partition} and RowKey ge {range.From} and RowKey lt {range.To}"
            ),
            select: properties is { Length: > 0 } ? ["PartitionKey", "RowKey", "Timestamp", .. properties] : null
        );
}
