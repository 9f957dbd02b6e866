using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Blobs;

/// <summary>A stream becomes a blob at once, or none: by one request, by one that streams, or by blocks.</summary>
public sealed class BlobWriterTests : IAsyncLifetime
{
    private const int Block = BlobWriter.BlockSize;

    private Node _node = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _node = new Node(await Storages.NewWithTablesAsync());

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Theory]
    // How long it is | whether the client says so | the requests that it takes.
    [InlineData(0, true, 1)]
    [InlineData(0, false, 1)]
    [InlineData(1_000, true, 1)]
    [InlineData(1_000, false, 1)]
    [InlineData(Block - 1, false, 1)]
    [InlineData(Block, true, 1)]
    [InlineData(Block, false, 2)]
    [InlineData(Block + 1, true, 1)]
    [InlineData(Block + 1, false, 3)]
    [InlineData((3 * Block) + 7, true, 1)]
    [InlineData((3 * Block) + 7, false, 5)]
    public async Task A_blob_is_what_was_sent_whatever_its_length_is(int length, bool isSaid, int requests)
    {
        var bytes = Some(length);
        var before = _node.Calls.Count;
        var accepted = 0;

        var (etag, digest, size) = await WriteAsync(bytes, isSaid, () => ++accepted > 0);

        Assert.Equal(requests, _node.Calls.Count - before);
        Assert.Equal(1, accepted);
        Assert.Equal((Digest.Sha256(bytes), length), (digest, size));
        var stored = (await Blob.DownloadContentAsync(Stop)).Value;
        Assert.Equal(etag, stored.Details.ETag.ToString());
        Assert.Equal(bytes, stored.Content.ToArray());
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1_000, false)]
    [InlineData(Block, true)]
    [InlineData(Block + 1, true)]
    [InlineData(Block + 1, false)]
    public async Task What_is_not_accepted_leaves_nothing(int length, bool isSaid)
    {
        var (etag, _, size) = await WriteAsync(Some(length), isSaid, () => false);
        Assert.Null(etag);
        // It was looked at whole, all the same.
        Assert.Equal(length, size);
        Assert.False(await Blob.ExistsAsync(Stop));
    }

    [Theory]
    [InlineData(1_000, true)]
    [InlineData(Block + 1, true)]
    [InlineData(Block + 1, false)]
    public async Task Where_another_was_faster_his_bytes_stay(int length, bool isSaid)
    {
        var other = await Blob.UploadAsync(new MemoryStream([1, 2, 3]), cancellationToken: Stop);

        var (etag, _, _) = await WriteAsync(Some(length), isSaid, () => true);

        Assert.Null(etag);
        Assert.Equal(other.Value.ETag, (await Blob.GetPropertiesAsync(cancellationToken: Stop)).Value.ETag);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_client_that_goes_away_in_the_middle_leaves_nothing_and_is_told_as_it_is(bool isSaid)
    {
        var bytes = Some((2 * Block) + 1);
        using var hash = new ContentHash("sha256");
        using var body = await UploadBody.BeginAsync(
            new CutStream(bytes, [65_536], failsAt: Block + 1),
            isSaid ? bytes.Length : null,
            Stop
        );

        var error = await Assert.ThrowsAsync<IOException>(() => WriteAsync(body, hash, () => true));

        Assert.Equal(CutStream.Failure, error.Message);
        Assert.False(await Blob.ExistsAsync(Stop));
    }

    [Fact]
    public async Task A_body_that_is_shorter_than_it_was_said_to_be_is_no_blob()
    {
        using var hash = new ContentHash("sha256");
        using var body = await UploadBody.BeginAsync(new MemoryStream(Some(Block + 1)), Block + 2, Stop);
        await Assert.ThrowsAsync<IOException>(() => WriteAsync(body, hash, () => true));
        Assert.False(await Blob.ExistsAsync(Stop));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_write_ends_with_its_token_and_leaves_nothing(bool isSaid)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var bytes = Some((2 * Block) + 1);
        using var hash = new ContentHash("sha256");
        using var body = await UploadBody.BeginAsync(
            new CutStream(bytes, [65_536]),
            isSaid ? bytes.Length : null,
            Stop
        );

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            BlobWriter.WriteAsync(Blob, Once, body, hash, Refuse, BlobWriter.Absent, end.Token)
        );

        Assert.False(await Blob.ExistsAsync(Stop));

        // The last moment before the bytes count.
        bool Refuse()
        {
            end.Cancel();
            end.Token.ThrowIfCancellationRequested();
            return true;
        }
    }

    [Fact]
    public async Task Blocks_of_another_attempt_do_no_harm_and_none_is_in_two_attempts()
    {
        var (one, two) = (Some(Block + 1), Some(Block + 2));
        using var hash = new ContentHash("sha256");
        IReadOnlyList<string> left;
        await using (var blocks = new StagedBlocks(Blob, hash, Stop))
        {
            await blocks.StageAsync(new MemoryStream(one));
            left = blocks.Ids;
        }

        var (etag, _, _) = await WriteAsync(two, isSaid: false, () => true);

        Assert.NotNull(etag);
        Assert.Equal(two, (await Blob.DownloadContentAsync(Stop)).Value.Content.ToArray());
        var stored = (await Blob.GetBlockListAsync(BlockListTypes.All, cancellationToken: Stop)).Value;
        Assert.Equal(2, stored.CommittedBlocks.Count());
        Assert.Empty(stored.CommittedBlocks.Select(b => b.Name).Intersect(left));
    }

    private BlockBlobClient Blob => _node.Storage.Images.GetBlockBlobClient("a");

    private BlockBlobClient Once => _node.Storage.ImageStreams.GetBlockBlobClient("a");

    private async Task<(string? ETag, Digest Digest, int Size)> WriteAsync(byte[] bytes, bool isSaid, Func<bool> accept)
    {
        using var hash = new ContentHash("sha256");
        using var body = await UploadBody.BeginAsync(
            new CutStream(bytes, [100_000, 1, 65_536]),
            isSaid ? bytes.Length : null,
            Stop
        );
        var etag = await WriteAsync(body, hash, accept);
        return (etag, hash.Digest, (int)hash.Size);
    }

    private Task<string?> WriteAsync(UploadBody body, ContentHash hash, Func<bool> accept) =>
        BlobWriter.WriteAsync(Blob, Once, body, hash, accept, BlobWriter.Absent, Stop);

    private static byte[] Some(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }
}
