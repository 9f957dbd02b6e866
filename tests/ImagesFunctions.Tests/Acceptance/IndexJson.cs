using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.Acceptance;

/// <summary>Any order of a drop ends in the same list, and `index.json` rules the tags it has set.</summary>
public sealed class IndexJson(KestrelFixture fixture) : AgainstAHost(fixture)
{
    public static TheoryData<string> Orders =>
        [
            "index.json first",
            "index.json last",
            "index.json twice",
            "manifest before layers",
            "layers before manifest",
            "every file twice",
        ];

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task Every_order_lists_the_image(string order)
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var layout = new Layout();
        var image = layout.AddImage(account);
        layout.Index(Layout.Tagged(image, "latest"));
        string index = "index.json";
        string manifest = Layout.PathOf(Layout.Digest(image));
        string[] blobs = [.. layout.Needs(Layout.Digest(image)).Where(path => path != manifest)];
        string[] files = order switch
        {
            "index.json first" => [index, manifest, .. blobs],
            "index.json last" or "layers before manifest" => [.. blobs, manifest, index],
            "index.json twice" => [index, .. blobs, manifest, index],
            "manifest before layers" => [manifest, index, .. blobs],
            "every file twice" => [manifest, .. blobs, index, manifest, .. blobs, index],
            _ => throw new ArgumentException(order, nameof(order)),
        };

        await DropOneByOneAsync(account, layout, files);

        await Host.ListsExactlyAsync(token, account, layout.Listed($"{account}/web", image, account, "latest"));
        var status = await Host.StatusAsync(account);
        Assert.Empty(status.Waiting);
        Assert.Empty(status.Refused);
        Assert.Empty(status.PendingTags);
    }

    [Fact]
    public async Task A_changed_index_json_moves_and_drops_the_tags_it_had_set()
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var repository = $"{account}/web";
        var layout = new Layout();
        var (one, two) = (layout.AddImage("one"), layout.AddImage("two"));
        layout.Index(
            Layout.Tagged(one, "moves"),
            Layout.Tagged(one, "goes"),
            Layout.Tagged(one, "stays"),
            Layout.Tagged(two, "other")
        );
        await Host.LayoutAsync(repository, layout);
        await Host.ListsExactlyAsync(
            token,
            account,
            Sorted(
                layout.Listed(repository, one, "one", "goes", "moves", "stays"),
                layout.Listed(repository, two, "two", "other")
            )
        );

        layout.Index(Layout.Tagged(one, "stays"), Layout.Tagged(two, "moves"), Layout.Tagged(two, "new"));
        await Host.LayoutAsync(repository, layout, ["index.json"]);

        await Host.ListsExactlyAsync(
            token,
            account,
            Sorted(
                layout.Listed(repository, one, "one", "stays"),
                layout.Listed(repository, two, "two", "moves", "new")
            )
        );

        // An image that the file no longer names stays, untagged.
        layout.Index(Layout.Tagged(two, "moves"));
        await Host.LayoutAsync(repository, layout, ["index.json"]);

        await Host.ListsExactlyAsync(
            token,
            account,
            Sorted(layout.Listed(repository, one, "one"), layout.Listed(repository, two, "two", "moves"))
        );
    }

    [Fact]
    public async Task A_whole_reference_sets_the_tag_that_it_ends_in()
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var repository = $"{account}/web";
        var layout = new Layout();
        var image = layout.AddImage(account);
        layout.Index(
            Layout.Tagged(image, "docker.io/library/alpine:3.20"),
            Layout.Tagged(image, "localhost:5000/team/web:v1"),
            Layout.Tagged(image, "localhost:5000/team/web"),
            Layout.Tagged(image, "plain")
        );

        await Host.LayoutAsync(repository, layout);

        await Host.ListsExactlyAsync(token, account, layout.Listed(repository, image, account, "3.20", "plain", "v1"));
        var refused = await Host.RefusedAsync($"{repository}/index.json");
        Assert.Contains("'localhost:5000/team/web' is not a tag", refused.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tag_waits_for_its_image_to_be_complete()
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var repository = $"{account}/web";
        var layout = new Layout();
        var old = layout.AddImage("old");
        await Host.LayoutAsync(repository, layout.Index(Layout.Tagged(old, "latest")));
        await Host.ListsExactlyAsync(token, account, layout.Listed(repository, old, "old", "latest"));
        var next = layout.AddImage("next");
        layout.Index(Layout.Tagged(next, "latest"));
        var layer = Layout.PathOf(Layout.Digest(layout.Read(next)["layers"]![0]!.AsObject()));

        await Host.LayoutAsync(repository, layout, layout.Files.Keys.Where(path => path != layer));
        await Until.TrueAsync(
            async () => (await Host.StatusAsync(account)).PendingTags.Any(tag => tag.Tag == "latest"),
            () => Host.ExplainAsync(account)
        );

        // Whether the old image keeps the tag until then is not promised; that the new one does not appear is.
        Assert.DoesNotContain(
            $"{repository}@{Layout.Digest(next)}",
            (await Host.ListAsync(token, $"namespace={account}")).Digests,
            StringComparer.Ordinal
        );

        await Host.LayoutAsync(repository, layout, [layer]);

        await Host.ListsExactlyAsync(
            token,
            account,
            Sorted(layout.Listed(repository, old, "old"), layout.Listed(repository, next, "next", "latest"))
        );
    }

    private static JsonObject[] Sorted(params JsonObject[] images) =>
        [.. images.OrderBy(image => image["digest"]!.GetValue<string>(), StringComparer.Ordinal)];

    /// <summary>A blob is taken note of before the next file lands, so that the order is the order of ingest too.</summary>
    private async Task DropOneByOneAsync(string account, Layout layout, string[] files)
    {
        foreach (var file in files)
        {
            await Host.LayoutAsync($"{account}/web", layout, [file]);
            if (file != "index.json")
            {
                await Host.VerifiedAsync(account, "web", file["blobs/".Length..].Replace('/', ':'));
            }
        }
    }
}
