using System.Net;

namespace ImagesFunctions.Tests.Registry;

/// <summary>What drops and pushes make of one repository together.</summary>
public sealed class DropsAndPushes(KestrelFixture fixture) : AgainstManifests(fixture)
{
    [Fact]
    public async Task A_repository_is_filled_by_drops_and_by_pushes()
    {
        var client = await ClientAsync();
        var token = await Host.TokenForAsync(Account);
        var dropped = Layout.Small("dropped", "one");
        var pushed = Layout.Small("pushed", "two");
        // What a push brings completes what a drop left waiting, and a push finds what was dropped.
        var layer = dropped.FirstLayer;
        await Host.LayoutAsync(Repository, dropped, dropped.Files.Keys.Where(p => p != layer));
        await client.PushAsync(Repository, pushed);
        await Until.TrueAsync(
            async () => (await Host.StatusAsync(Account)).Waiting.Any(w => w.Missing.Count == 1),
            async () => await Host.ExplainAsync(Account)
        );
        await client.PushBlobAsync(Repository, dropped.Files[layer]);

        await Host.ListsExactlyAsync(
            token,
            Repository,
            [
                .. new[] { (dropped, "dropped", "one"), (pushed, "pushed", "two") }
                    .OrderBy(l => l.Item1.FirstImage, StringComparer.Ordinal)
                    .Select(l => l.Item1.Listed(Repository, l.Item1.Manifests[0], l.Item2, l.Item3)),
            ]
        );
        Assert.Equal(["one", "two"], await TagsAsync(client));
        var again = dropped.Files[Layout.PathOf(dropped.FirstImage)];
        Assert.Equal(HttpStatusCode.Created, (await client.PutManifestAsync(Repository, "three", again)).Status);
        Assert.Equal(["one", "three", "two"], await TagsAsync(client));
    }

    [Fact]
    public async Task What_was_overwritten_from_outside_is_never_served_and_a_push_mends_it()
    {
        var client = await ClientAsync();
        var layout = Layout.Small("mended", "v1");
        await client.PushAsync(Repository, layout);
        var layer = layout.FirstLayer["blobs/".Length..].Replace('/', ':');

        await Host.FileAsync($"{Repository}/{layout.FirstLayer}", "other bytes"u8.ToArray());

        var pulled = await client.GetAsync($"/v2/{Repository}/blobs/{layer}");
        Is(HttpStatusCode.NotFound, "BLOB_UNKNOWN", pulled);
        await client.PushBlobAsync(Repository, layout.Files[layout.FirstLayer]);
        Assert.Equal(layout.Files[layout.FirstLayer], (await client.GetAsync($"/v2/{Repository}/blobs/{layer}")).Bytes);
        await Until.TrueAsync(
            async () => (await client.GetAsync($"/v2/{Repository}/manifests/v1")).Status == HttpStatusCode.OK,
            async () => await Host.ExplainAsync(Account)
        );
    }
}
