using System.Net;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs.Models;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Acceptance;

/// <summary>Of an image with very long facts lists show as much as they have room for, and the image alone shows all.</summary>
public sealed class LongFacts : IAsyncLifetime
{
    private const string Repo = "alice/web";
    private const int Labels = 12_000;
    private const int Manifests = 6;

    private readonly Layout _image = new();
    private readonly JsonObject _labels = [];
    private Node _node = null!;
    private NodeRegistry _registry = null!;
    private string _token = "";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _node = new Node(await Storages.NewWithTablesAsync());
        _token = await NodeRegistry.TokenAsync(_node, "alice");
        _registry = new NodeRegistry(_node, "alice", _token);
        for (var i = 0; i < Labels; i++)
        {
            _labels[$"label{i:D5}"] = $"é{i}";
        }

        var config = _image.Add(
            Layout.OciConfig,
            new JsonObject
            {
                ["created"] = "2026-01-02T03:04:05Z",
                ["config"] = new JsonObject
                {
                    ["Cmd"] = new JsonArray("run", "it"),
                    ["Env"] = new JsonArray("A=1", $"LONG={new string('x', 100_000)}", "B=2"),
                    ["Labels"] = _labels.DeepClone(),
                },
            }
        );
        // Short manifests, all of the one long config.
        var manifests = Enumerable
            .Range(0, Manifests)
            .Select(i => _image.AddManifest(config, _image.Add(Layout.OciTar, [(byte)i])))
            .ToArray();
        _image.Index([.. manifests.Select((manifest, i) => Layout.Tagged(manifest, $"v{i}"))]);
        await _node.PutAsync(Repo, _image);
        await _node.StartAsync();
    }

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task A_list_stays_short_and_nothing_is_kept_once_an_image()
    {
        var list = await SendAsync("/v1/images/list");
        var platform = await SendAsync("/v1/images");

        Assert.Equal(Manifests, list.Json["data"]!["images"]!.AsArray().Count);
        Assert.InRange(
            list.Bytes.Length,
            Manifests * ShownFacts.MaxBytes / 2,
            Manifests * (ShownFacts.MaxBytes + 1_000)
        );
        Assert.InRange(platform.Bytes.Length, 1, Manifests * (ShownFacts.MaxBytes + 2_000));
        foreach (var image in list.Json["data"]!["images"]!.AsArray())
        {
            Assert.Equal("run it", image!["args"]!.GetValue<string>());
            Assert.True(image["truncated"]!.GetValue<bool>());
            var shown = image["labels"]!.AsObject();
            Assert.InRange(shown.Count, 300, 1_000);
            // The first ones, each as it is.
            Assert.All(_labels.Take(shown.Count), l => Assert.True(JsonNode.DeepEquals(l.Value, shown[l.Key])));
        }

        var env = platform.Json["data"]!["images"]![0]!["env"]!.AsObject();
        Assert.Equal(["A", "B"], env.Select(e => e.Key));
        Assert.Empty(await DerivedAsync());
    }

    [Theory]
    [InlineData("digest")]
    [InlineData("tag")]
    public async Task An_image_alone_shows_all(string by)
    {
        var name = by == "tag" ? $"{Repo}:v0" : $"{Repo}@{_image.FirstImage}";

        await ShowsAllAsync($"/v1/images/{by}/{name}");
    }

    [Fact]
    public async Task An_index_shows_what_its_image_does()
    {
        var index = new Layout();
        var bytes = index.Files[
            Layout.PathOf(Layout.Digest(index.AddIndex(Layout.OciIndex, _image.Manifests[0].DeepClone().AsObject())))
        ];
        var push = await _registry.SendAsync("PUT", $"/v2/{Repo}/manifests/index", bytes, Layout.OciIndex);
        Assert.True(push.Status == HttpStatusCode.Created, push.Text);

        Assert.InRange(
            (await SendAsync($"/v1/images/list?tag={Repo}:index")).Bytes.Length,
            1,
            ShownFacts.MaxBytes + 1_000
        );
        await ShowsAllAsync($"/v1/images/tag/{Repo}:index");
    }

    /// <summary>An earlier version kept all facts once an image, and lists of them whole.</summary>
    [Fact]
    public async Task Rows_of_an_earlier_version_are_read_and_shown_alike()
    {
        var before = await SendAsync("/v1/images/list");
        await EarlierRows.WithFactsBlobAsync(_node, Repo, _image.FirstImage);
        Assert.Single(await DerivedAsync());

        Assert.Equal(Images(before), Images(await SendAsync("/v1/images/list")));
        // Once they are fetched, and by another process.
        Assert.Equal(Images(before), Images(await SendAsync("/v1/images/list")));
        await using var other = new Node(_node.Connection);
        var registry = new NodeRegistry(other, "alice", _token);
        Assert.Equal(Images(before), Images(await SendAsync("/v1/images/list", registry)));
        await ShowsAllAsync($"/v1/images/digest/{Repo}@{_image.FirstImage}");

        // What is derived may be lost: it is made again.
        await _node.Storage.Derived.DeleteBlobAsync(Assert.Single(await DerivedAsync()), cancellationToken: Stop);
        await using var third = new Node(_node.Connection);
        registry = new NodeRegistry(third, "alice", _token);
        Assert.Equal(Images(before), Images(await SendAsync("/v1/images/list", registry)));
        await ShowsAllAsync($"/v1/images/digest/{Repo}@{_image.FirstImage}");
        Assert.Single(await DerivedAsync());
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("half")]
    [InlineData("a changed byte")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("""{"args":null,"env":[null],"labels":{"a":null},"kernel_args":null,"children":[],"parts":{}}""")]
    public async Task A_blob_of_facts_that_is_damaged_is_made_again(string what)
    {
        var before = await SendAsync("/v1/images/list");
        await EarlierRows.WithFactsBlobAsync(_node, Repo, _image.FirstImage);
        var blob = _node.Storage.Derived.GetBlobClient(Assert.Single(await DerivedAsync()));
        var bytes = (await blob.DownloadContentAsync(Stop)).Value.Content.ToArray();
        byte[] damaged = what switch
        {
            "nothing" => [],
            "half" => bytes[..(bytes.Length / 2)],
            "a changed byte" => [(byte)(bytes[0] ^ 1), .. bytes[1..]],
            _ => System.Text.Encoding.UTF8.GetBytes(what),
        };
        await blob.UploadAsync(BinaryData.FromBytes(damaged), overwrite: true, Stop);
        await using var other = new Node(_node.Connection);
        var registry = new NodeRegistry(other, "alice", _token);

        Assert.Equal(Images(before), Images(await SendAsync("/v1/images/list", registry)));
        Assert.Equal(bytes, (await blob.DownloadContentAsync(Stop)).Value.Content.ToArray());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task While_blobs_of_facts_are_away_they_are_made_from_what_is_there(bool stalls)
    {
        var before = await SendAsync("/v1/images/list");
        await EarlierRows.WithFactsBlobAsync(_node, Repo, _image.FirstImage);
        using var says = new StorageSays(_node.Connection);
        says.Hold = request => stalls && says.IsBlob(request, "derived");
        says.Say = request =>
            says.IsBlob(request, "derived") ? new(HttpStatusCode.ServiceUnavailable, "ServerBusy") : null;
        await using var other = new Node(AzureLimits.AccountOver(_node.Connection, says));

        var list = await SendAsync("/v1/images/list", new NodeRegistry(other, "alice", _token));

        Assert.True(list.Status == HttpStatusCode.OK, list.Text);
        Assert.Equal(Images(before), Images(list));
        Assert.NotEqual(0, stalls ? says.Held : says.Said);
    }

    [Fact]
    public async Task Where_its_config_cannot_be_read_the_image_shows_what_lists_do()
    {
        var config = _image.Read(_image.Manifests[0])["config"]!.AsObject();
        var path = $"{Repo}/{Layout.PathOf(Layout.Digest(config))}";
        await _node.Storage.Images.GetBlobClient(path).SetAccessTierAsync(AccessTier.Archive, cancellationToken: Stop);

        var reply = await SendAsync($"/v1/images/digest/{Repo}@{_image.FirstImage}");

        Assert.Equal(HttpStatusCode.OK, reply.Status);
        Assert.True(reply.Json["data"]!["images"]![0]!["truncated"]!.GetValue<bool>());
    }

    private async Task ShowsAllAsync(string path)
    {
        var reply = await SendAsync(path);
        Assert.True(reply.Status == HttpStatusCode.OK, reply.Text);
        var image = Assert.Single(reply.Json["data"]!["images"]!.AsArray())!.AsObject();
        Assert.False(image.ContainsKey("truncated"));
        Assert.True(JsonNode.DeepEquals(_labels, image["labels"]));
        Assert.Equal(["A", "B", "LONG"], image["env"]!.AsObject().Select(e => e.Key));
    }

    private async Task<List<string>> DerivedAsync()
    {
        var names = new List<string>();
        await foreach (var blob in _node.Storage.Derived.GetBlobsAsync(cancellationToken: Stop))
        {
            names.Add(blob.Name);
        }

        return names;
    }

    private static string Images(Reply reply) => reply.Json["data"]!.ToJsonString();

    private Task<Reply> SendAsync(string path, NodeRegistry? registry = null) =>
        (registry ?? _registry).SendAsync("GET", path, headers: ("Authorization", $"Bearer {_token}"));
}
