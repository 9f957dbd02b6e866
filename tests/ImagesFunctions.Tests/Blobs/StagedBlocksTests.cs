using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Blobs;

/// <summary>The blocks of one attempt: nothing of them is seen until their ids are committed.</summary>
public sealed class StagedBlocksTests : IAsyncLifetime
{
    private const int Block = BlobWriter.BlockSize;

    private readonly ContentHash _hash = new("sha256");
    private Node _node = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private BlockBlobClient Blob => _node.Storage.Images.GetBlockBlobClient("a");

    public async ValueTask InitializeAsync() => _node = new Node(await Storages.NewWithTablesAsync());

    public ValueTask DisposeAsync()
    {
        _hash.Dispose();
        return _node.DisposeAsync();
    }

    [Fact]
    public void Ids_of_a_blob_have_one_length_and_no_two_are_the_same()
    {
        byte[][] prefixes = [new byte[8], [0, 0, 0, 0, 0, 0, 0, 1], [.. Enumerable.Repeat((byte)255, 8)]];
        int[] numbers = [0, 1, 255, 256, 49_999, int.MaxValue];
        var ids = prefixes.SelectMany(p => numbers.Select(n => StagedBlocks.BlockId(p, n))).ToList();
        Assert.Equal(ids.Count, ids.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(16, Assert.Single(ids.Select(id => id.Length).Distinct()));
    }

    [Fact]
    public async Task Blocks_are_named_and_hashed_in_the_order_of_their_bytes_however_these_come()
    {
        var bytes = new byte[(2 * Block) + 5];
        new Random(1).NextBytes(bytes);
        await using var blocks = new StagedBlocks(Blob, _hash, Stop);
        blocks.Stage(bytes.AsMemory(0, 1_000));
        await blocks.StageAsync(new CutStream(bytes[1_000..], [70_000, 1]));

        Assert.False(await Blob.ExistsAsync(Stop));
        Assert.Equal(3, blocks.Ids.Count);
        Assert.Equal(Digest.Sha256(bytes), _hash.Digest);
        await Blob.CommitBlockListAsync(blocks.Ids, cancellationToken: Stop);
        Assert.Equal(bytes, (await Blob.DownloadContentAsync(Stop)).Value.Content.ToArray());
    }

    [Fact]
    public async Task Of_no_bytes_there_is_no_block()
    {
        await using var blocks = new StagedBlocks(Blob, _hash, Stop);
        await blocks.StageAsync(Stream.Null);
        Assert.Empty(blocks.Ids);
    }

    [Fact]
    public async Task To_dispose_of_them_cancels_what_is_under_way()
    {
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _node.Calls.Before = async (_, message) =>
        {
            begun.TrySetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, message.CancellationToken);
        };
        var blocks = new StagedBlocks(Blob, _hash, Stop);
        blocks.Stage(new byte[1_000]);
        await begun.Task;

        await Deadline.OfAsync(blocks.DisposeAsync().AsTask(), "the blocks to be given up");

        _node.Calls.Before = (_, _) => ValueTask.CompletedTask;
        var left = await Blob.ExistsAsync(Stop);
        Assert.False(left);
    }

    [Fact]
    public async Task One_that_storage_does_not_take_fails_all_of_them()
    {
        _node.Calls.Before = (number, _) => number == 2 ? throw new InvalidOperationException("no") : default;
        var blocks = new StagedBlocks(Blob, _hash, Stop);
        var error = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            blocks.StageAsync(new MemoryStream(new byte[3 * Block]))
        );
        Assert.Equal("no", error.Message);
        await blocks.DisposeAsync();
        Assert.Empty((await ListAsync()).CommittedBlocks);
    }

    private async Task<BlockList> ListAsync() =>
        (await Blob.GetBlockListAsync(BlockListTypes.All, cancellationToken: Stop)).Value;
}
