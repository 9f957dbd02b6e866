using System.Runtime.CompilerServices;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Rows;

/// <summary>Point reads of many rows, a batch at a time, so that one long manifest does not take all connections.</summary>
internal static class BatchedReads
{
    /// <summary>How many reads of one operation run at the same time.</summary>
    public const int MaxAtOnce = JournalReads.MaxReadsAtOnce;

    /// <summary>Reads something for each item, in the order of the items. A consumer that stops ends the reads with the batch.</summary>
    /// <param name="items">The items.</param>
    /// <param name="read">Reads what belongs to one of them.</param>
    public static IAsyncEnumerable<(TItem Item, TResult Result)> ReadEachAsync<TItem, TResult>(
        this IEnumerable<TItem> items,
        Func<TItem, Task<TResult>> read
    ) => items.ToAsyncEnumerable().ReadEachAsync(read);

    /// <summary>As the other overload, for items that are read themselves.</summary>
    /// <param name="items">The items.</param>
    /// <param name="read">Reads what belongs to one of them.</param>
    /// <param name="cancellationToken">Cancels the reads of items.</param>
    public static async IAsyncEnumerable<(TItem Item, TResult Result)> ReadEachAsync<TItem, TResult>(
        this IAsyncEnumerable<TItem> items,
        Func<TItem, Task<TResult>> read,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        await foreach (var batch in items.Chunk(MaxAtOnce).WithCancellation(cancellationToken))
        {
            var results = await Task.WhenAll(batch.Select(read));
            foreach (var (item, result) in batch.Zip(results))
            {
                yield return (item, result);
            }
        }
    }
}
