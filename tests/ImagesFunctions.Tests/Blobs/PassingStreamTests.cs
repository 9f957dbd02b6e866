using CsCheck;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Blobs;

/// <summary>A body of known length on its way to storage: nothing of it counts before all of it is accepted.</summary>
public sealed class PassingStreamTests
{
    // A block is in memory when the stream begins; the rest is still to come.
    private const int Block = BlobWriter.BlockSize;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_bytes_pass_as_they_came_however_they_are_cut()
    {
        var bytes = Some(Block + 100_000);
        await Gen.Select(Gen.Int[1, 300_000].Array[1, 5], Gen.Int[1, 50_000].Array[1, 5])
            .SampleAsync(
                async (asked, given) =>
                {
                    using var hash = new ContentHash("sha256");
                    using var body = await UploadBody.BeginAsync(new CutStream(bytes, given), bytes.Length, Stop);
                    var accepted = 0;
                    await using var stream = new PassingStream(body, bytes.Length, hash, () => ++accepted > 0);
                    var passed = new byte[bytes.Length + 1];
                    var at = 0;
                    for (var i = 0; ; i++)
                    {
                        var most = Math.Min(asked[i % asked.Length] * 20, passed.Length - at);
                        Assert.Equal(at < bytes.Length ? 0 : 1, accepted);
                        if (await stream.ReadAsync(passed.AsMemory(at, most), Stop) is not (var read and > 0))
                        {
                            break;
                        }

                        at += read;
                        Assert.Equal(at, stream.Position);
                    }

                    Assert.Equal(bytes, passed[..at]);
                    Assert.Equal(Digest.Sha256(bytes), hash.Digest);
                    Assert.Equal((1, false, null), (accepted, stream.IsRefused, stream.Failure));
                },
                iter: 12,
                threads: 1
            );
    }

    [Theory]
    [InlineData(Block)]
    [InlineData(Block + 1)]
    [InlineData(Block + 70_000)]
    public async Task The_last_bytes_of_what_is_not_accepted_never_pass(int length)
    {
        var bytes = Some(length);
        using var hash = new ContentHash("sha256");
        using var body = await UploadBody.BeginAsync(new MemoryStream(bytes), length, Stop);
        await using var stream = new PassingStream(body, length, hash, () => false);
        var passed = 0;

        await Assert.ThrowsAsync<IOException>(async () =>
        {
            var buffer = new byte[64 * 1024];
            while (await stream.ReadAsync(buffer, Stop) is var read and > 0)
            {
                passed += read;
            }
        });

        Assert.InRange(passed, length - (64 * 1024), length - 1);
        Assert.True(stream.IsRefused);
        // It is no fault of the body.
        Assert.Null(stream.Failure);
        Assert.Equal(length, hash.Size);
    }

    [Fact]
    public async Task A_body_that_ends_before_its_length_is_told_from_one_that_is_not_accepted()
    {
        using var hash = new ContentHash("sha256");
        using var body = await UploadBody.BeginAsync(new MemoryStream(Some(Block + 10)), Block + 11, Stop);
        await using var stream = new PassingStream(body, Block + 11, hash, () => throw new InvalidOperationException());

        var error = await Assert.ThrowsAsync<IOException>(() => stream.CopyToAsync(Stream.Null, Stop));

        Assert.Equal("The body ended before its length.", error.Message);
        Assert.Same(error, stream.Failure!.SourceException);
        Assert.False(stream.IsRefused);
    }

    [Fact]
    public async Task What_the_client_does_to_its_body_is_kept_for_who_asks_why()
    {
        using var hash = new ContentHash("sha256");
        var cut = new CutStream(Some(Block + 100), [1_000], failsAt: Block + 50);
        using var body = await UploadBody.BeginAsync(cut, Block + 100, Stop);
        await using var stream = new PassingStream(body, Block + 100, hash, () => true);

        var error = await Assert.ThrowsAsync<IOException>(() => stream.CopyToAsync(Stream.Null, Stop));

        Assert.Equal(CutStream.Failure, error.Message);
        Assert.Same(error, stream.Failure!.SourceException);
    }

    [Fact]
    public async Task It_comes_once_and_can_be_sought_only_where_it_is()
    {
        var bytes = Some(Block);
        using var hash = new ContentHash("sha256");
        using var body = await UploadBody.BeginAsync(new MemoryStream(bytes), Block, Stop);
        await using var stream = new PassingStream(body, Block, hash, () => true);
        Assert.True(stream.CanSeek);
        Assert.Equal((Block, 0, 0), (stream.Length, stream.Position, stream.Seek(0, SeekOrigin.Begin)));

        await stream.ReadExactlyAsync(new byte[100], Stop);

        Assert.Equal(100, stream.Position);
        Assert.Equal(100, stream.Seek(100, SeekOrigin.Begin));
        Assert.Equal(100, stream.Seek(0, SeekOrigin.Current));
        Assert.Equal(100, stream.Seek(100 - Block, SeekOrigin.End));
        Assert.Throws<IOException>(() => stream.Position = 0);
        Assert.Throws<IOException>(() => stream.Seek(0, SeekOrigin.End));
    }

    [Fact]
    public async Task To_read_nothing_is_no_end()
    {
        using var hash = new ContentHash("sha256");
        using var body = await UploadBody.BeginAsync(new MemoryStream(Some(Block)), Block, Stop);
        await using var stream = new PassingStream(body, Block, hash, () => true);
        Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty, Stop));
        await stream.CopyToAsync(Stream.Null, Stop);
        Assert.Equal(0, await stream.ReadAsync(Memory<byte>.Empty, Stop));
        Assert.Null(stream.Failure);
        Assert.Equal(Block, hash.Size);
    }

    private static byte[] Some(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }
}
