using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>
/// The accounts and images that most sentences of the contract are tried on: dropped once a host, and never changed.
/// A text may hold their names in braces.
/// <code>
/// {alice}/web        {one} tags 1 and latest, {two} no tag
/// {alice}/web/child  {three} tag latest
/// {alice}/web2       {four} tag latest
/// {alice}/multi      {multi} tag latest: an index of {amd64} and {arm64}, of which {arm64} has the tag arm
/// {alice}/long       {long} tag latest: sha512
/// {bob}/web          {one} tags 1 and latest, {two} no tag
/// {bob}/hidden       {hidden} tag latest
/// official/{hello}   {five} tag latest
/// official/{both}    {one} tags 1 and latest, {two} no tag
/// {nobody}           no account: its name is as long as {bob}
/// {none}             a digest that nothing has
/// </code>
/// </summary>
internal sealed class World
{
    private static readonly ConditionalWeakTable<RunningHost, Lazy<Task<World>>> s_worlds = [];

    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);

    public required string Alice { get; init; }

    public required string AliceToken { get; init; }

    public required string BobToken { get; init; }

    public string this[string name] => _names[name];

    public static Task<World> OfAsync(RunningHost host) =>
        s_worlds.GetValue(host, h => new Lazy<Task<World>>(() => MakeAsync(h))).Value;

    /// <summary>The text with every name in its place.</summary>
    public string Named(string text) =>
        _names.Aggregate(text, (t, n) => t.Replace($"{{{n.Key}}}", n.Value, StringComparison.Ordinal));

    private static async Task<World> MakeAsync(RunningHost host)
    {
        var (alice, bob) = (Drop.Fresh("alice"), Drop.Fresh("bobby"));
        var world = new World
        {
            Alice = alice,
            AliceToken = await host.TokenForAsync(alice),
            BobToken = await host.TokenForAsync(bob),
        };
        var names = world._names;
        (names["alice"], names["bob"], names["nobody"]) = (alice, bob, Drop.Fresh("nobod"));
        (names["hello"], names["both"]) = (Drop.Fresh("hello"), Drop.Fresh("both"));
        names["none"] = $"sha256:{new string('0', 64)}";

        var web = new Layout();
        var (one, two) = (web.AddImage("one" + alice), web.AddImage("two" + alice));
        (names["one"], names["two"]) = (Layout.Digest(one), Layout.Digest(two));
        web.Index(Layout.Tagged(one, "1"), Layout.Tagged(one, "latest"), two);
        var multi = new Layout();
        var (amd64, arm64) = (multi.AddImage("amd64" + alice), multi.AddImage("arm64" + alice));
        (names["amd64"], names["arm64"]) = (Layout.Digest(amd64), Layout.Digest(arm64));
        var index = multi.AddIndex(
            Layout.OciIndex,
            Layout.For(amd64, "linux", "amd64"),
            Layout.For(arm64, "linux", "arm64")
        );
        names["multi"] = Layout.Digest(index);
        multi.Index(Layout.Tagged(index, "latest"), Layout.Tagged(arm64, "arm"));

        (string Repository, Layout Layout)[] drops =
        [
            ($"{alice}/web", web),
            ($"{alice}/web/child", world.Small("three")),
            ($"{alice}/web2", world.Small("four")),
            ($"{alice}/multi", multi),
            ($"{alice}/long", world.Long()),
            ($"{bob}/web", web),
            ($"{bob}/hidden", world.Small("hidden")),
            ($"official/{names["hello"]}", world.Small("five")),
            ($"official/{names["both"]}", web),
        ];
        foreach (var (repository, layout) in drops)
        {
            await host.LayoutAsync(repository, layout);
        }

        await world.ListedAsync(host);
        return world;
    }

    private Layout Small(string name)
    {
        var layout = Layout.Small(name + Alice, "latest");
        _names[name] = layout.FirstImage;
        return layout;
    }

    // All of it by sha512.
    private Layout Long()
    {
        var layout = new Layout();
        var config = new JsonObject
        {
            ["architecture"] = "amd64",
            ["os"] = "linux",
            ["author"] = Alice,
        };
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = Layout.OciManifest,
            ["config"] = layout.Add(Layout.OciConfig, config, "sha512"),
            ["layers"] = new JsonArray(layout.Add(Layout.OciTar, Layout.Tar("etc/text", "long"), "sha512")),
        };
        var image = layout.Add(Layout.OciManifest, manifest, "sha512");
        _names["long"] = Layout.Digest(image);
        return layout.Index(Layout.Tagged(image, "latest"));
    }

    private async Task ListedAsync(RunningHost host)
    {
        (string Token, string Namespace, int Images)[] expected =
        [
            (AliceToken, "{alice}", 7),
            (BobToken, "{bob}", 3),
            (AliceToken, "official/{hello}", 1),
            (AliceToken, "official/{both}", 2),
        ];
        foreach (var (token, ns, images) in expected)
        {
            Answer? last = null;
            await Until.TrueAsync(
                async () =>
                    (last = await host.ListAsync(token, Named($"namespace={ns}"))).Images.Count == images
                    // As it happens, each has as many tags as images.
                    && last.Images.Sum(i => i["tags"]!.AsArray().Count) == images,
                async () => $"{last!.Body} {await host.ExplainAsync(Named(ns).Split('/')[0])}"
            );
        }
    }
}
