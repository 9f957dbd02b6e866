namespace ImagesFunctions.Tests.RealImages;

public sealed class ListedAsTheToolsSay(KestrelFixture fixture, RealLayouts layouts) : AgainstAHost(fixture)
{
    [Theory]
    [MemberData(nameof(RealLayouts.Kinds), MemberType = typeof(RealLayouts))]
    public async Task A_dropped_layout_is_listed_field_by_field_as_the_tools_say(string kind)
    {
        var folder = await layouts.FolderAsync(kind);
        var account = Drop.Fresh("alice");
        var repository = $"{account}/web";
        var token = await Host.TokenForAsync(account);

        await Host.LayoutAsync(repository, Layout.FromFolder(folder));

        await Host.ListsExactlyAsync(token, account, await new ToolsSay(folder).OfAsync(repository));
    }

    [Fact]
    public async Task An_official_image_is_listed_under_its_bare_name()
    {
        var folder = await layouts.FolderAsync("unikernel");
        var repository = $"official/{Drop.Fresh("nginx")}";
        var token = await Host.TokenForAsync(Drop.Fresh("alice"));

        await Host.LayoutAsync(repository, Layout.FromFolder(folder));

        await Host.ListsExactlyAsync(token, repository, await new ToolsSay(folder).OfAsync(repository));
    }

    [Fact]
    public async Task An_artifact_and_a_referrer_are_kept_but_not_listed()
    {
        var folder = await layouts.FolderAsync("with an artifact and a referrer beside it");
        var layout = Layout.FromFolder(folder);
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);

        await Host.LayoutAsync($"{account}/web", layout);
        // Only once all three are in the catalog does their absence from the list say something.
        foreach (var manifest in layout.Manifests)
        {
            await Host.CommittedAsync(account, "web", Layout.Digest(manifest));
        }

        await Host.ListsExactlyAsync(token, account, await new ToolsSay(folder).OfAsync($"{account}/web"));
    }
}
