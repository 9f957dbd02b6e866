using System.Collections.Concurrent;
using Azure;
using Azure.Data.Tables;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Storage;

/// <summary>
/// Keeps a table that is being rebuilt from being taken for an empty one. While that goes on there is a table of marks beside it,
/// with a row for each partition that is whole again; reads of all others fail, as they do while there is no table.
/// </summary>
/// <remarks>
/// Who rebuilds makes the marks first, waits for <see cref="StorageTimes.Vouches"/>, and only then makes the table. So an answer of
/// the table vouches for all others of the time that follows it, and a process that reads at least that often never asks for marks.
/// </remarks>
/// <param name="marks">The table of marks.</param>
/// <param name="times">How long an answer vouches for others.</param>
internal sealed class StoreGate(TableClient marks, StorageTimes times)
{
    /// <summary>The row of a partition that is whole.</summary>
    public const string Whole = "whole";

    private const int MaxTries = 3;

    private readonly ConcurrentDictionary<string, bool> _whole = new(StringComparer.Ordinal);
    private volatile bool _isOn;
    private volatile bool _isRebuilt;
    private volatile Moment? _vouched;

    // By two clocks: one of them may stop while the machine sleeps, the other one may be set.
    private sealed record Moment(long Timestamp, DateTimeOffset Time);

    /// <summary>From now on reads are kept from half-made tables. Programs that only look leave it off.</summary>
    public void TurnOn() => _isOn = true;

    /// <summary>Reads, and reads again where the table may have been made anew meanwhile.</summary>
    /// <exception cref="StorageUnavailableException">The partition is being rebuilt.</exception>
    public async Task<T> ReadAsync<T>(string partition, Func<Task<T>> read, CancellationToken cancellationToken)
    {
        if (!_isOn)
        {
            return await read();
        }

        for (var attempt = 1; attempt <= MaxTries; attempt++)
        {
            await DemandAsync(partition, cancellationToken);
            var begun = Now();
            var answer = await AskAsync(read);
            if (Confirm(begun))
            {
                return answer;
            }
        }

        throw new StorageUnavailableException($"the table {marks.Name} vouches for is read too slowly");
    }

    /// <summary>As <see cref="ReadAsync"/>, page by page.</summary>
    public async IAsyncEnumerable<Page<TableEntity>> PagesAsync(
        string partition,
        AsyncPageable<TableEntity> query,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        if (_isOn)
        {
            await DemandAsync(partition, cancellationToken);
        }

        await using var pages = query.AsPages().GetAsyncEnumerator(cancellationToken);
        while (true)
        {
            var begun = Now();
            if (!await AskAsync(() => pages.MoveNextAsync().AsTask()))
            {
                yield break;
            }

            if (_isOn && !Confirm(begun))
            {
                throw new StorageUnavailableException("the rows were read too slowly to be of one table");
            }

            yield return pages.Current;
        }
    }

    /// <summary>Throws unless the partition is whole, or no rebuild is going on.</summary>
    /// <exception cref="StorageUnavailableException">It is being rebuilt.</exception>
    public async Task DemandAsync(string partition, CancellationToken cancellationToken)
    {
        if (!_isOn || (IsVouched(Now()) && (!_isRebuilt || _whole.ContainsKey(partition))))
        {
            return;
        }

        var asked = Now();
        if (await MarkAsync(partition, cancellationToken) is not { } isWhole)
        {
            _isRebuilt = false;
            _whole.Clear();
            _vouched = asked;
            return;
        }

        _isRebuilt = true;
        if (!isWhole)
        {
            throw new StorageUnavailableException($"what storage has of {partition} is being rebuilt");
        }

        _whole[partition] = true;
        _vouched = asked;
    }

    // Null: there are no marks, and so no rebuild.
    private async Task<bool?> MarkAsync(string partition, CancellationToken cancellationToken)
    {
        try
        {
            var mark = await marks.GetEntityIfExistsAsync<TableEntity>(
                partition,
                Whole,
                ["PartitionKey"],
                cancellationToken
            );
            if (mark.HasValue)
            {
                return true;
            }

            var code = StorageCodes.CodeOf(mark.GetRawResponse());
            return code is StorageCodes.TableNotFound ? null
                : StorageCodes.MeaningOf(code, 404) == StorageMeaning.Absent ? false
                : throw new RequestFailedException(mark.GetRawResponse());
        }
        catch (RequestFailedException error)
            when (StorageCodes.CodeOf(error) is StorageCodes.TableNotFound or StorageCodes.TableBeingDeleted)
        {
            return null;
        }
    }

    private async Task<T> AskAsync<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (RequestFailedException error) when (error.Meaning() == StorageMeaning.NoStore)
        {
            _vouched = null;
            throw;
        }
    }

    // False where the answer may be of a table that was made since.
    private bool Confirm(Moment begun)
    {
        if (!IsVouched(Now()))
        {
            return false;
        }

        _vouched = begun;
        return true;
    }

    private bool IsVouched(Moment now) =>
        _vouched is { } at
        && times.Clock.GetElapsedTime(at.Timestamp, now.Timestamp) < times.Vouches
        && (now.Time - at.Time).Duration() < times.Vouches;

    private Moment Now() => new(times.Clock.GetTimestamp(), times.Clock.GetUtcNow());
}
