using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.Acceptance;

public sealed class FlippedByte(KestrelFixture fixture) : AgainstAHost(fixture)
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_layer_with_one_flipped_byte_is_refused_with_both_digests_until_the_good_bytes_land(
        bool layerFirst
    )
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var layout = new Layout();
        var image = layout.AddImage(account);
        layout.Index(Layout.Tagged(image, "latest"));
        var digest = Layout.Digest(layout.Read(image)["layers"]![0]!.AsObject());
        var path = Layout.PathOf(digest);
        var good = layout.Files[path];
        var bad = good.ToArray();
        bad[600] ^= 1;
        var rest = layout.Files.Keys.Where(file => file != path);
        var landed = $"{account}/web/{path}";

        await (layerFirst ? Host.FileAsync(landed, bad) : Host.LayoutAsync($"{account}/web", layout, rest));
        await (layerFirst ? Host.LayoutAsync($"{account}/web", layout, rest) : Host.FileAsync(landed, bad));

        await IsRefusedAsync(landed, digest, Layout.DigestOf(bad));
        var listedWitness = await WitnessAsync(account, token);
        Assert.Contains(
            (await Host.StatusAsync(account)).Waiting,
            one => one.Manifest == Layout.Digest(image) && one.Missing.Contains(digest, StringComparer.Ordinal)
        );

        await Host.FileAsync(landed, good);

        await Host.ListsExactlyAsync(
            token,
            account,
            layout.Listed($"{account}/web", image, account, "latest"),
            listedWitness
        );
        await Host.HealedAsync(landed);
    }

    [Fact]
    public async Task A_listed_image_whose_layer_is_overwritten_with_bad_bytes_leaves_the_list_until_it_is_good_again()
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var layout = new Layout();
        var image = layout.AddImage(account);
        layout.Index(Layout.Tagged(image, "latest"));
        var listed = layout.Listed($"{account}/web", image, account, "latest");
        var path = Layout.PathOf(Layout.Digest(layout.Read(image)["layers"]![1]!.AsObject()));
        var bad = layout.Files[path].ToArray();
        bad[^1] ^= 1;
        await Host.LayoutAsync($"{account}/web", layout);
        await Host.ListsExactlyAsync(token, account, listed);

        await Host.FileAsync($"{account}/web/{path}", bad);

        await Host.ListsExactlyAsync(token, account);
        Assert.Equal(Layout.DigestOf(bad), (await Host.RefusedAsync($"{account}/web/{path}")).ActualDigest);

        await Host.LayoutAsync($"{account}/web", layout, [path]);

        await Host.ListsExactlyAsync(token, account, listed);
        await Host.HealedAsync($"{account}/web/{path}");
    }

    private async Task IsRefusedAsync(string path, string named, string actual)
    {
        var refusal = await Host.RefusedAsync(path);
        Assert.Equal("refused", refusal.State);
        Assert.Equal(actual, refusal.ActualDigest);
        Assert.Contains(named, refusal.Reason, StringComparison.Ordinal);
        Assert.Contains(actual, refusal.Reason, StringComparison.Ordinal);
    }

    // Another image that lands later in the same namespace shows that everything before it has been seen.
    private async Task<JsonObject> WitnessAsync(string account, string token)
    {
        var layout = new Layout();
        var image = layout.AddImage("after");
        await Host.LayoutAsync($"{account}/witness", layout.Index(Layout.Tagged(image, "1")));
        var listed = layout.Listed($"{account}/witness", image, "after", "1");
        await Host.ListsExactlyAsync(token, account, listed);
        return listed;
    }
}
