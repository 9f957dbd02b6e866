using System.Runtime.CompilerServices;
using Azure;
using Azure.Data.Tables;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Storage;

/// <summary>A table of the storage account.</summary>
/// <param name="table">The table.</param>
/// <param name="once">The same table, by a client that does not repeat requests: who sends a transaction has to know that it was sent twice.</param>
/// <param name="gate">Keeps reads from a table that is half rebuilt; null: they are not.</param>
internal sealed class StoredTable(TableClient table, TableClient once, StoreGate? gate = null) : IJournalTable
{
    /// <summary>The same table, for who rebuilds it.</summary>
    public StoredTable Unguarded => new(table, once);

    /// <summary>All rows of all partitions.</summary>
    public async IAsyncEnumerable<(string Partition, TableRow Row)> AllAsync(
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        await foreach (
            var row in table
                .QueryAsync<TableEntity>(cancellationToken: cancellationToken)
                .WithRetries(cancellationToken)
        )
        {
            yield return (row.PartitionKey, Row(row));
        }
    }

    /// <inheritdoc/>
    public async Task<TableRow?> GetAsync(string partition, string key, CancellationToken cancellationToken)
    {
        var answer = await FindAsync(partition, key, cancellationToken);
        return answer.HasValue ? Row(answer.Value!) : null;
    }

    /// <summary>The row, or null, and the time by the storage service's clock, in whole seconds; null where it does not say.</summary>
    public async Task<(TableRow? Row, DateTimeOffset? Now)> GetWithTimeAsync(
        string partition,
        string key,
        CancellationToken cancellationToken
    )
    {
        var answer = await FindAsync(partition, key, cancellationToken);
        return (answer.HasValue ? Row(answer.Value!) : null, answer.GetRawResponse().Headers.Date);
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<TableRow>> RangeAsync(
        string partition,
        KeyRange range,
        CancellationToken cancellationToken
    )
    {
        var rows = new List<TableRow>();
        await foreach (var page in PagesAsync(partition, range, cancellationToken))
        {
            rows.AddRange(page);
        }

        return rows;
    }

    /// <summary>As <see cref="RangeAsync"/>, page by page: while one is used, the next one is already fetched. Rows that are written meanwhile may or may not be among them.</summary>
    public async IAsyncEnumerable<IEnumerable<TableRow>> PagesAsync(
        string partition,
        KeyRange range,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var query = Query(partition, range);
        await using var pages = (
            gate is null ? query.AsPages() : gate.PagesAsync(partition, query, cancellationToken)
        ).GetAsyncEnumerator(cancellationToken);
        var next = pages.MoveNextAsync().AsTask();
        try
        {
            while (await next)
            {
                var page = pages.Current;
                next = pages.MoveNextAsync().AsTask();
                yield return page.Values.Select(Row);
            }
        }
        finally
        {
            // It must not be disposed of while it moves.
            await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>As <see cref="RangeAsync"/>, row by row.</summary>
    /// <param name="partition">The partition.</param>
    /// <param name="range">The row keys.</param>
    /// <param name="properties">What to fetch of each row, without its key; none for all.</param>
    public IAsyncEnumerable<TableRow> Stream(string partition, KeyRange range, params string[]? properties) =>
        Query(partition, range, properties).Select(Row);

    /// <summary>As <see cref="Stream"/>, for those for whom no client waits: a page is asked for again for two minutes.</summary>
    public IAsyncEnumerable<TableRow> StreamWithRetries(
        string partition,
        KeyRange range,
        params string[]? properties
    ) => Query(partition, range, properties).WithRetries().Select(Row);

    /// <summary>All rows of a partition.</summary>
    public IAsyncEnumerable<TableRow> PartitionAsync(string partition) =>
        // A lambda would be compiled at each start.
        table.QueryAsync<TableEntity>(TableClient.CreateQueryFilter($"PartitionKey eq {partition}")).Select(Row);

    /// <summary>The first partition behind this one, or null.</summary>
    public async Task<string?> NextPartitionAsync(string last, CancellationToken cancellationToken)
    {
        var filter = TableClient.CreateQueryFilter($"PartitionKey gt {last}");
        await foreach (
            var row in table
                .QueryAsync<TableEntity>(filter, maxPerPage: 1, select: ["PartitionKey"], cancellationToken)
                .WithRetries(cancellationToken)
        )
        {
            return row.PartitionKey;
        }

        return null;
    }

    /// <summary>Writes or removes one row. What storage does not answer is asked for again a few times, and then thrown.</summary>
    /// <exception cref="RequestFailedException">Storage did not do it for another reason than the row's own state.</exception>
    public async Task<WriteResult> PutAsync(string partition, Change change, CancellationToken cancellationToken)
    {
        try
        {
            var response = change switch
            {
                { Row: null } => await table.DeleteEntityAsync(
                    partition,
                    change.Key,
                    ETagOf(change),
                    cancellationToken
                ),
                { IsNew: true } => await table.AddEntityAsync(Entity(partition, change.Row), cancellationToken),
                { IfMatch: not null } => await table.UpdateEntityAsync(
                    Entity(partition, change.Row),
                    ETagOf(change),
                    TableUpdateMode.Replace,
                    cancellationToken
                ),
                _ => await table.UpsertEntityAsync(
                    Entity(partition, change.Row),
                    TableUpdateMode.Replace,
                    cancellationToken
                ),
            };
            if (response.Status == 404)
            {
                // The SDK lets a deletion of what is not there pass.
                StorageErrors.DemandAbsent(response);
            }

            return new WriteResult(WriteOutcome.Done, [VersionOf(response.Headers.ETag)]);
        }
        catch (RequestFailedException error) when (error.IsConflict())
        {
            return new WriteResult(WriteOutcome.Refused, Error: error);
        }
        catch (RequestFailedException error) when (error.IsAbsent())
        {
            return new WriteResult(WriteOutcome.Gone, Error: error);
        }
    }

    /// <inheritdoc/>
    public Task<WriteResult> WriteAsync(
        string partition,
        IReadOnlyList<Change> changes,
        CancellationToken cancellationToken
    ) => SubmitAsync(once, partition, changes, cancellationToken);

    /// <summary>As <see cref="WriteAsync"/>, for changes that may be sent twice: what storage does not answer is asked for again a few times.</summary>
    public Task<WriteResult> WriteAgainAsync(
        string partition,
        IReadOnlyList<Change> changes,
        CancellationToken cancellationToken
    ) => SubmitAsync(table, partition, changes, cancellationToken);

    /// <summary>A row as the SDK has it.</summary>
    internal static TableEntity Entity(string partition, TableRow row)
    {
        var entity = new TableEntity(partition, row.Key);
        foreach (var (name, value) in row.Values)
        {
            entity[name] = value;
        }

        return entity;
    }

    /// <summary>A row of the SDK's, which is not used any more by anybody else.</summary>
    internal static TableRow Row(TableEntity entity)
    {
        var (key, version, timestamp) = (entity.RowKey, new VersionTag(entity.ETag.ToString()), entity.Timestamp);
        // What the SDK keeps beside the values.
        entity.Remove("PartitionKey");
        entity.Remove("RowKey");
        entity.Remove("Timestamp");
        entity.Remove("odata.etag");
        return new TableRow(key, entity!, version, timestamp);
    }

    private static async Task<WriteResult> SubmitAsync(
        TableClient client,
        string partition,
        IReadOnlyList<Change> changes,
        CancellationToken cancellationToken
    )
    {
        try
        {
            var answer = await client.SubmitTransactionAsync(
                changes.Select(c => Action(partition, c)),
                cancellationToken
            );
            return new WriteResult(WriteOutcome.Done, [.. answer.Value.Select(a => VersionOf(a.Headers.ETag))]);
        }
        catch (RequestFailedException error) when (error.IsConflict())
        {
            return new WriteResult(WriteOutcome.Refused, Error: error);
        }
        catch (RequestFailedException error) when (error.IsAbsent())
        {
            return new WriteResult(WriteOutcome.Gone, Error: error);
        }
        catch (Exception error) when (StorageErrors.IsUnclear(error) && !cancellationToken.IsCancellationRequested)
        {
            return new WriteResult(WriteOutcome.Unclear, Error: error);
        }
    }

    private static TableTransactionAction Action(string partition, Change change) =>
        change switch
        {
            { Row: null } => new(
                TableTransactionActionType.Delete,
                new TableEntity(partition, change.Key),
                ETagOf(change)
            ),
            { IsNew: true } => new(TableTransactionActionType.Add, Entity(partition, change.Row)),
            { IfMatch: not null } => new(
                TableTransactionActionType.UpdateReplace,
                Entity(partition, change.Row),
                ETagOf(change)
            ),
            _ => new(TableTransactionActionType.UpsertReplace, Entity(partition, change.Row)),
        };

    // An absent row is common, and no exception. But the SDK takes every 404 for one, that of a missing table too.
    private Task<NullableResponse<TableEntity>> FindAsync(
        string partition,
        string key,
        CancellationToken cancellationToken
    )
    {
        return gate is null ? ReadAsync() : gate.ReadAsync(partition, ReadAsync, cancellationToken);

        async Task<NullableResponse<TableEntity>> ReadAsync()
        {
            var answer = await table.GetEntityIfExistsAsync<TableEntity>(
                partition,
                key,
                cancellationToken: cancellationToken
            );
            if (!answer.HasValue)
            {
                StorageErrors.DemandAbsent(answer.GetRawResponse());
            }

            return answer;
        }
    }

    private AsyncPageable<TableEntity> Query(string partition, KeyRange range, string[]? properties = null) =>
        table.QueryAsync<TableEntity>(
            TableClient.CreateQueryFilter(
                $"PartitionKey eq {partition} and RowKey ge {range.From} and RowKey lt {range.To}"
            ),
            select: properties is { Length: > 0 } ? ["PartitionKey", "RowKey", "Timestamp", .. properties] : null
        );

    private static ETag ETagOf(Change change) => change.IfMatch is { } version ? new ETag(version.Text) : ETag.All;

    private static VersionTag? VersionOf(ETag? etag) => etag is { } known ? new VersionTag(known.ToString()) : null;
}
