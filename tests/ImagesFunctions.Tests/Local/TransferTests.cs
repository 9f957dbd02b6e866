using System.Security.Cryptography;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Local;

/// <summary><c>push</c>, <c>pull</c> and <c>copy</c> in processes of their own, against a server, through a proxy that counts bytes.</summary>
[TakesLong(seconds: 120)]
public sealed class TransferTests : IAsyncLifetime
{
    private const int MiB = 1024 * 1024;

    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    private readonly TemporaryFolder _folder = new();
    private string _connection = "";
    private string _token = "";
    private LocalProgram _server = null!;
    private CountingProxy _proxy = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _connection = await Storages.NewWithTablesAsync();
        await using (var node = new Node(_connection))
        {
            _token = await NodeRegistry.TokenAsync(node, "alice");
        }

        _server = await LocalProgram.ServeAsync(_connection);
        _proxy = new CountingProxy(_server.Address);
    }

    public async ValueTask DisposeAsync()
    {
        await _proxy.DisposeAsync();
        await _server.DisposeAsync();
        _folder.Dispose();
    }

    [Fact]
    public async Task A_push_that_is_killed_again_and_again_sends_hardly_anything_twice_and_a_pull_goes_on()
    {
        const int kills = 4;
        var size = Write(_folder.File("big"), layers: 4, bytes: 50 * MiB);

        for (var kill = 0; kill < kills; kill++)
        {
            await using var killed = Push("big", "alice/big:v1");
            await ReachesAsync(killed, () => _proxy.Up, _proxy.Up + Random.Shared.Next(10 * MiB, 40 * MiB));
        }

        await DoneAsync(Push("big", "alice/big:v1"));

        Assert.InRange(_proxy.Up, size, size * 1.05);
        for (var kill = 0; kill < kills; kill++)
        {
            await using var killed = Pull("alice/big:v1", "copy");
            await ReachesAsync(killed, () => _proxy.Down, _proxy.Down + Random.Shared.Next(10 * MiB, 40 * MiB));
            Assert.False(File.Exists(_folder.File("copy/index.json")));
        }

        var before = _proxy.Down;
        await DoneAsync(Pull("alice/big:v1", "copy"));

        // What was in the buffers of sockets when it was killed comes again.
        Assert.InRange(_proxy.Down - before, 1, size * 0.95);
        AssertSame("big", "copy");
    }

    [Fact]
    public async Task Connections_that_are_cut_are_made_anew_and_people_see_that()
    {
        var size = Write(_folder.File("image"), layers: 2, bytes: 20 * MiB);

        await using (var push = Push("image", "alice/web:v1"))
        {
            await ReachesAsync(push, () => _proxy.Up, 8 * MiB);
            _proxy.Cut();
            Assert.True(await push.EndsWithinAsync(s_patience) == 0, push.Said);
            Assert.Contains("waiting", push.Said, StringComparison.Ordinal);
        }

        Assert.InRange(_proxy.Up, size, size * 1.2);
        await using (var pull = Pull("alice/web:v1", "copy"))
        {
            await ReachesAsync(pull, () => _proxy.Down, 8 * MiB);
            _proxy.Cut();
            Assert.True(await pull.EndsWithinAsync(s_patience) == 0, pull.Said);
        }

        AssertSame("image", "copy");
    }

    [Fact]
    public async Task A_registry_that_is_busy_is_waited_for_as_long_as_it_asks_for()
    {
        await using var server = await LocalProgram.ServeAsync(_connection, ("RequestsPerMinute", "10"));
        Write(_folder.File("image"), layers: 3, bytes: 64 * 1024);

        await using var push = Start("push", _folder.File("image"), "alice/web:v1", "--registry", $"{server.Address}");

        Assert.True(await push.EndsWithinAsync(s_patience) == 0, push.Said);
        Assert.Matches(@"answers 429: waiting \d+ s", push.Said);
    }

    [Fact]
    public async Task An_image_is_copied_within_a_registry_and_sent_once()
    {
        Write(_folder.File("image"), layers: 1, bytes: MiB);
        await DoneAsync(Push("image", "alice/web:v1"));
        var sent = _proxy.Up;
        await DoneAsync(Push("image", "alice/web:v2"));
        Assert.True(_proxy.Up - sent < 64 * 1024);
        var host = new Uri(_proxy.Address).Authority;

        await DoneAsync(
            Start("copy", $"{host}/alice/web:v1", $"http://{host}/alice/other:v1", "--source-token", _token)
        );

        await DoneAsync(Pull("alice/other:v1", "copy"));
        AssertSame("image", "copy");
    }

    [Fact]
    public async Task Damaged_bytes_are_not_pushed()
    {
        Write(_folder.File("image"), layers: 1, bytes: MiB);
        var layer = Directory
            .EnumerateFiles(_folder.File("image/blobs/sha256"))
            .MaxBy(file => new FileInfo(file).Length)!;
        await using (var file = File.OpenWrite(layer))
        {
            file.Position = 1000;
            file.WriteByte(1);
            file.WriteByte(2);
        }

        await using var push = Push("image", "alice/web:v1");

        Assert.Equal(1, await push.EndsWithinAsync(s_patience));
        Assert.Contains("the source is damaged", push.Said, StringComparison.Ordinal);
        await using var pull = Pull("alice/web:v1", "copy");
        Assert.Equal(1, await pull.EndsWithinAsync(s_patience));
    }

    [Theory]
    [InlineData("alpine:3.20", "https://registry-1.docker.io/", "library/alpine", "3.20")]
    [InlineData("acme/web:v1", "https://registry-1.docker.io/", "acme/web", "v1")]
    [InlineData("ghcr.io/acme/web:v1", "https://ghcr.io/", "acme/web", "v1")]
    [InlineData("127.0.0.1:7071/demo/web:v1", "http://127.0.0.1:7071/", "demo/web", "v1")]
    [InlineData("localhost/demo/web:v1", "http://localhost/", "demo/web", "v1")]
    [InlineData("https://images.example.net/demo/a/b:v1", "https://images.example.net/", "demo/a/b", "v1")]
    public void A_name_says_where_an_image_is(string text, string registry, string repository, string tag)
    {
        var address = RegistryAddress.Parse(text)!;
        Assert.Equal((registry, repository, tag), ($"{address.Registry}", address.Repository, address.Reference));
    }

    [Theory]
    [InlineData("alpine")]
    [InlineData("127.0.0.1:7071/demo/web")]
    [InlineData("Upper/Case:v1")]
    [InlineData("http://host/")]
    [InlineData("web@sha256:12")]
    public void A_name_without_a_tag_or_digest_is_none(string text) => Assert.Null(RegistryAddress.Parse(text));

    private LocalProgram Push(string layout, string name) =>
        Start("push", _folder.File(layout), name, "--registry", _proxy.Address);

    private LocalProgram Pull(string name, string layout) =>
        Start("pull", name, _folder.File(layout), "--registry", _proxy.Address);

    private LocalProgram Start(params string[] arguments) =>
        LocalProgram.Start(_connection, arguments, ("IMAGES_TOKEN", _token), ("IMAGES_STATE", _folder.File("state")));

    private static async Task DoneAsync(LocalProgram program)
    {
        await using (program)
        {
            Assert.True(await program.EndsWithinAsync(s_patience) == 0, program.Said);
        }
    }

    // It is killed where the caller disposes it.
    private static Task ReachesAsync(LocalProgram program, Func<long> count, long bytes) =>
        Until.TrueAsync(
            () =>
            {
                Assert.False(program.HasEnded, program.Said);
                return Task.FromResult(count() >= bytes);
            },
            () => Task.FromResult($"{count()} of {bytes} bytes. {program.Said}"),
            s_patience
        );

    private static long Write(string folder, int layers, int bytes)
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
        layout.Index(Layout.Tagged(layout.AddManifest(config, descriptors), "v1")).WriteTo(folder);
        return (long)layers * bytes;
    }

    private void AssertSame(string layout, string copy)
    {
        var (one, other) = (Layout.FromFolder(_folder.File(layout)), Layout.FromFolder(_folder.File(copy)));
        Assert.Equal(one.FirstImage, other.FirstImage);
        Assert.Equal(one.Files.Keys, other.Files.Keys);
        Assert.All(
            one.Files.Where(f => f.Key.StartsWith("blobs/", StringComparison.Ordinal)),
            f => Assert.True(f.Value.AsSpan().SequenceEqual(other.Files[f.Key]), f.Key)
        );
    }
}
