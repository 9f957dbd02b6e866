using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Azure.Core;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Repositories;

/// <summary>A decision may be made hundreds of times before it is committed once.</summary>
public sealed class DecisionsHaveNoEffect
{
    private const string Name = "alice/web";
    private const int Times = 5;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_one_made_again_on_the_same_rows_finds_the_same_changes_and_writes_nothing()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var isAgain = new AsyncLocal<bool>();
        var written = new ConcurrentQueue<string>();
        var kinds = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        node.Calls.Before = (_, message) =>
        {
            if (
                isAgain.Value
                && message.Request.Method != RequestMethod.Get
                && message.Request.Method != RequestMethod.Head
            )
            {
                written.Enqueue($"{message.Request.Method} {message.Request.Uri}");
            }

            return ValueTask.CompletedTask;
        };
        node.RowStore.Rehearsal = async (changes, decide) =>
        {
            isAgain.Value = true;
            for (var i = 0; i < Times; i++)
            {
                Assert.Equal(changes.Select(Text), (await decide()).Select(Text));
            }

            foreach (var change in changes)
            {
                kinds[(change.Row is null ? "-" : "+") + change.Key[0]] = true;
            }
        };

        var layout = new Layout();
        var (image, index) = await DropAsync(node, layout);
        await PinAndUnpinAsync(node);
        await LoseALayerAndBringItBackAsync(node, layout);
        var referrer = await PushAReferrerAsync(node, image);
        await DropFewerTagsAsync(node, layout, image);
        await DeleteAsync(node, index, referrer);
        await node.SweepAllAsync();

        Assert.Empty(written);
        // Rows of every kind were written and removed by decisions: none of those is left out. No decision removes a row of a blob.
        Assert.Equal(
            ["+b", "+i", "+j", "+n", "+r", "+t", "-i", "-j", "-n", "-r", "-t"],
            kinds.Keys.Order(StringComparer.Ordinal)
        );
    }

    // An image whose facts are too long for its row, an index of it, and more tags than one commit sets; the tags land first.
    private static async Task<(JsonObject Image, JsonObject Index)> DropAsync(Node node, Layout layout)
    {
        var config = new JsonObject
        {
            ["config"] = new JsonObject { ["Cmd"] = new JsonArray(new string('x', 100_000)) },
        };
        var layer = layout.Add(Layout.OciTar, Layout.Tar("etc/text", "text"));
        var image = layout.AddManifest(layout.Add(Layout.OciConfig, config), layer);
        var index = layout.AddIndex(Layout.OciIndex, image);
        var tags = Enumerable.Range(0, 120).Select(i => Layout.Tagged(i % 2 == 0 ? image : index, $"t{i}"));
        await node.PutAsync(Name, layout.Index([.. tags]));
        await node.LandAsync((await node.PathsAsync()).OrderDescending(StringComparer.Ordinal));
        Assert.Equal(2, (await node.ListedAsync("alice")).Length);
        return (image, index);
    }

    private static async Task PinAndUnpinAsync(Node node)
    {
        Assert.True(Reference.TryParse($"{Name}:t0", out var reference));
        var pins = node.Services.GetRequiredService<Pins>();
        var row = await pins.PinAsync(reference, new ImagePin(DateTimeOffset.UnixEpoch, null), Stop);
        Assert.Equal(row!.Digest, Assert.Single(await pins.AllAsync("alice", Stop)).Digest);
        Assert.True(await pins.UnpinAsync(reference.Repository, row.Digest, Stop));
    }

    private static async Task LoseALayerAndBringItBackAsync(Node node, Layout layout)
    {
        var path = (await node.PathsAsync()).Single(p => layout.Files[p[(Name.Length + 1)..]].Length == 2_048);
        await node.Storage.Images.DeleteBlobAsync(path, cancellationToken: Stop);
        await node.LandAsync([path]);
        Assert.Empty(await node.ListedAsync("alice"));
        await node.PutAsync(path, layout.Files[path[(Name.Length + 1)..]]);
        await node.LandAsync([path]);
        Assert.Equal(2, (await node.ListedAsync("alice")).Length);
    }

    private static async Task<Digest> PushAReferrerAsync(Node node, JsonObject image)
    {
        var repository = Node.Repository(Name);
        var blobs = node.Services.GetRequiredService<BlobStore>();
        var config = "{}"u8.ToArray();
        await blobs.StoreAsync(new BlobPath(repository, Digest.Sha256(config)), config, Stop);
        var bytes = JsonSerializer.SerializeToUtf8Bytes(
            new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = Layout.OciManifest,
                ["config"] = new JsonObject
                {
                    ["mediaType"] = "application/vnd.oci.empty.v1+json",
                    ["digest"] = Digest.Sha256(config).ToString(),
                    ["size"] = config.Length,
                },
                ["layers"] = new JsonArray(),
                ["subject"] = image.DeepClone(),
            }
        );
        var digest = Digest.Sha256(bytes);
        var path = new BlobPath(repository, digest);
        var manifest = Manifest.Parse(bytes, Layout.OciManifest);
        var push = node.Services.GetRequiredService<ManifestPush>();
        Assert.Empty(
            await push.RunAsync(new PushedManifest(path, bytes, manifest, ["signature"], Condition: null), Stop)
        );
        return digest;
    }

    private static async Task DropFewerTagsAsync(Node node, Layout layout, JsonObject image)
    {
        await node.PutAsync(Name, layout.Index(Layout.Tagged(image, "t0")), "index.json");
        await node.LandAsync([$"{Name}/index.json"]);
        Assert.Equal(
            ["t0"],
            (await node.RowStore.NamespaceAsync("alice", null, Stop))
                .Tags.Values.Where(t => t.FromLayout)
                .Select(t => t.Tag)
        );
    }

    // What is left of it the sweeper finds.
    private static async Task DeleteAsync(Node node, JsonObject index, Digest referrer)
    {
        var repository = Node.Repository(Name);
        Assert.True(await node.Removal.TagAsync(repository, "signature", Stop));
        foreach (var digest in (Digest[])[referrer, Node.Digest(Layout.Digest(index))])
        {
            var removed = await node.Removal.ImageAsync(repository, digest, Stop);
            Assert.Equal(new RemovalResult(true), removed with { Marked = null });
        }

        await node.Storage.Images.DeleteBlobAsync($"{Name}/index.json", cancellationToken: Stop);
    }

    private static string Text(Change change) =>
        $"{change.Key} {change.IfMatch} "
        + string.Join(
            ", ",
            change.Row?.Values.OrderBy(v => v.Key, StringComparer.Ordinal).Select(v => $"{v.Key}={v.Value}") ?? []
        );
}
