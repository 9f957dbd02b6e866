using System.Security.Cryptography;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.Faults;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Local;

/// <summary><c>drop</c> in processes that are killed, through a proxy in front of storage that counts bytes.</summary>
[TakesLong(seconds: 60)]
public sealed class DropResumesTests : IAsyncLifetime
{
    private const int MiB = 1024 * 1024;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    private readonly TemporaryFolder _folder = new();
    private string _direct = "";
    private string _connection = "";
    private CountingProxy _proxy = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _direct = await Storages.NewAsync();
        await using var node = new Node(_direct);
        await node.Storage.CreateAsync(Stop);
        _proxy = new CountingProxy(node.Storage.Images.Uri);
        var blobs = node.Storage.Images.Uri.Authority;
        _connection = _direct.Replace(blobs, new Uri(_proxy.Address).Authority, StringComparison.Ordinal);
        Assert.NotEqual(_direct, _connection);
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_drop_that_is_killed_again_and_again_sends_hardly_anything_twice_and_lists_nothing_before_its_end()
    {
        const int kills = 4;
        var layout = Write(2, 60 * MiB);
        await using var node = new Node(_direct);

        for (var kill = 0; kill < kills; kill++)
        {
            await using var killed = Drop();
            await ReachesAsync(killed, _proxy.Up + Random.Shared.Next(5 * MiB, 25 * MiB));
        }

        await node.StartAsync();
        Assert.Empty((await node.Services.GetRequiredService<ImagesApp>().StatusAsync("alice", null, Stop)).Listed);
        var said = await DoneAsync();

        Assert.Matches(@"[\d.]+ MiB went over the network; [\d.]+ MiB were there", said);
        // Of each kill the blocks on the way, of 256 KiB, are sent again.
        Assert.InRange(_proxy.Up, 120L * MiB, (long)(120L * MiB * 1.08));
        await node.StartAsync();
        var listed = (await node.Services.GetRequiredService<ImagesApp>().StatusAsync("alice", null, Stop)).Listed;
        Assert.Equal(layout.FirstImage, Assert.Single(listed).Digest);

        // What is there already stays as it is, and is not sent again.
        var before = _proxy.Up;
        var big = node.Storage.Images.GetBlobClient($"alice/web/{LargestOf(layout)}");
        var etag = (await big.GetPropertiesAsync(cancellationToken: Stop)).Value.ETag;
        await DoneAsync();
        Assert.InRange(_proxy.Up - before, 1, MiB);
        Assert.Equal(etag, (await big.GetPropertiesAsync(cancellationToken: Stop)).Value.ETag);
    }

    [Fact]
    public async Task Other_bytes_at_its_place_and_blocks_of_another_program_are_written_over()
    {
        var layout = Write(1, 3 * MiB);
        await using var node = new Node(_direct);
        var path = $"alice/web/{LargestOf(layout)}";
        var blob = node.Storage.Images.GetBlockBlobClient(path);
        // As long, and wrong.
        await blob.UploadAsync(new MemoryStream(RandomNumberGenerator.GetBytes(3 * MiB)), cancellationToken: Stop);
        await DoneAsync();
        Assert.Equal(layout.Files[LargestOf(layout)], await BytesAsync());

        await blob.DeleteAsync(cancellationToken: Stop);
        await blob.StageBlockAsync(
            Convert.ToBase64String(new byte[30]),
            new MemoryStream([1, 2, 3]),
            cancellationToken: Stop
        );
        await DoneAsync();
        Assert.Equal(layout.Files[LargestOf(layout)], await BytesAsync());

        async Task<byte[]> BytesAsync() => (await blob.DownloadContentAsync(Stop)).Value.Content.ToArray();
    }

    [Theory]
    [InlineData(1024)]
    [InlineData(3 * MiB)]
    public async Task Damaged_bytes_are_not_dropped(int length)
    {
        var layout = Write(1, length);
        var file = _folder.File($"image/{LargestOf(layout)}");
        var bytes = await File.ReadAllBytesAsync(file, Stop);
        bytes[length / 2] ^= 1;
        await File.WriteAllBytesAsync(file, bytes, Stop);

        await using var drop = Drop();

        Assert.Equal(1, await drop.EndsWithinAsync(s_patience));
        Assert.Contains("the source is damaged", drop.Said, StringComparison.Ordinal);
        await using var node = new Node(_direct);
        Assert.False(await node.Storage.Images.GetBlobClient($"alice/web/{LargestOf(layout)}").ExistsAsync(Stop));
        Assert.False(await node.Storage.Images.GetBlobClient("alice/web/index.json").ExistsAsync(Stop));
    }

    [Fact]
    public async Task Connections_that_are_cut_are_made_anew()
    {
        var layout = Write(1, 24 * MiB);

        await using var drop = Drop();
        await ReachesAsync(drop, 8 * MiB);
        _proxy.Cut();

        Assert.True(await drop.EndsWithinAsync(s_patience) == 0, drop.Said);
        await using var node = new Node(_direct);
        var blob = node.Storage.Images.GetBlobClient($"alice/web/{LargestOf(layout)}");
        Assert.Equal(layout.Files[LargestOf(layout)], (await blob.DownloadContentAsync(Stop)).Value.Content.ToArray());
    }

    private LocalProgram Drop() => LocalProgram.Start(_connection, ["drop", _folder.File("image"), "alice/web"]);

    private async Task<string> DoneAsync()
    {
        await using var drop = Drop();
        Assert.True(await drop.EndsWithinAsync(s_patience) == 0, drop.Said);
        return drop.Said;
    }

    // It is killed where the caller disposes it.
    private Task ReachesAsync(LocalProgram program, long bytes) =>
        Until.TrueAsync(
            () =>
            {
                Assert.False(program.HasEnded, program.Said);
                return Task.FromResult(_proxy.Up >= bytes);
            },
            () => Task.FromResult($"{_proxy.Up} of {bytes} bytes. {program.Said}"),
            s_patience
        );

    private static string LargestOf(Layout layout) => layout.Files.MaxBy(f => f.Value.Length).Key;

    private Layout Write(int layers, int bytes)
    {
        var layout = new Layout();
        var descriptors = Enumerable
            .Range(0, layers)
            .Select(_ => layout.Add(Layout.OciTar, RandomNumberGenerator.GetBytes(bytes)))
            .ToArray();
        var config = layout.Add(
            Layout.OciConfig,
            """{"architecture":"amd64","os":"linux","config":{"Cmd":["/run"]},"rootfs":{"type":"layers","diff_ids":[]}}"""u8.ToArray()
        );
        layout.Index(Layout.Tagged(layout.AddManifest(config, descriptors), "v1")).WriteTo(_folder.File("image"));
        return layout;
    }
}
