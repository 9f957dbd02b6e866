namespace ImagesFunctions.Tests.Storage;

/// <summary>Point reads of many rows.</summary>
public sealed class BatchedReadsTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(100)]
    public async Task Every_item_is_read_once_and_comes_in_its_order(int count)
    {
        var random = new Random(count);
        var items = Enumerable.Range(0, count).ToList();
        var read = new List<int>();

        await foreach (
            var (item, result) in items.ReadEachAsync(async i =>
            {
                await Task.Delay(random.Next(3), TestContext.Current.CancellationToken);
                return i * 2;
            })
        )
        {
            Assert.Equal(item * 2, result);
            read.Add(item);
        }

        Assert.Equal(items, read);
    }

    [Fact]
    public async Task A_batch_is_read_at_the_same_time()
    {
        var started = 0;
        var allStarted = new TaskCompletionSource();

        await foreach (
            var _ in Enumerable
                .Range(0, BatchedReads.MaxAtOnce)
                .ReadEachAsync(async i =>
                {
                    if (++started == BatchedReads.MaxAtOnce)
                    {
                        allStarted.SetResult();
                    }

                    await Deadline.OfAsync(allStarted.Task, "the rest of the batch");
                    return i;
                })
        ) { }

        Assert.Equal(BatchedReads.MaxAtOnce, started);
    }

    [Fact]
    public async Task A_consumer_that_stops_reads_no_further_batch()
    {
        var reads = 0;

        await foreach (
            var (item, _) in Enumerable
                .Range(0, 100)
                .ReadEachAsync(i => Task.FromResult(Interlocked.Increment(ref reads)))
        )
        {
            if (item == 3)
            {
                break;
            }
        }

        Assert.Equal(BatchedReads.MaxAtOnce, reads);
    }
}
