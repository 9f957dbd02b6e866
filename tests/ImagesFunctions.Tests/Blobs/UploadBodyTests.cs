using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Blobs;

public sealed class UploadBodyTests
{
    private const int Block = BlobWriter.BlockSize;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    // How many bytes there are | whether the client says so | whether they are all in memory.
    [InlineData(0, true, true)]
    [InlineData(0, false, true)]
    [InlineData(1, true, true)]
    [InlineData(1_000, false, true)]
    [InlineData(Block - 1, true, true)]
    [InlineData(Block - 1, false, true)]
    [InlineData(Block, true, false)]
    [InlineData(Block, false, false)]
    [InlineData(Block + 1, true, false)]
    [InlineData(Block + 1, false, false)]
    public async Task Its_beginning_is_in_memory_and_the_rest_is_still_to_come(int length, bool isSaid, bool isWhole)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        using var body = await UploadBody.BeginAsync(new CutStream(bytes, [999, 65_536]), isSaid ? length : null, Stop);
        Assert.Equal(isWhole, body.IsWhole);
        Assert.Equal(isSaid ? length : null, body.Length);
        Assert.Equal(bytes.AsSpan(0, Math.Min(length, Block)).ToArray(), body.First.ToArray());

        using var hash = new ContentHash("sha512");
        await body.DrainAsync(hash, Stop);

        Assert.Equal((length, Digest.Of("sha512", bytes)), ((int)hash.Size, hash.Digest));
    }

    [Fact]
    public async Task A_client_that_goes_away_is_told_at_once() =>
        await Assert.ThrowsAsync<IOException>(() =>
            UploadBody.BeginAsync(new CutStream(new byte[100], [10], failsAt: 50), 100, Stop)
        );
}
