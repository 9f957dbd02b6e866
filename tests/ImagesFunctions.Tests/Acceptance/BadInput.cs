using System.Text;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.Acceptance;

/// <summary>
/// Bad input ends as a recorded refusal: the images beside it stay listed, images that land after it are listed, and good input in its place heals.
/// </summary>
[TakesLong(seconds: 65)]
public sealed class BadInput(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private const int FiveMegabytes = 5_000_000;
    private static readonly string Hex = new('a', 64);

    /// <summary>
    /// Each makes a bad layout out of a good one and says which of its files must be refused. Dropping the good layout over it heals.
    /// </summary>
    private static readonly Dictionary<string, Func<Good, Bad>> Layouts = new(StringComparer.Ordinal)
    {
        ["a manifest cut short"] = good => Bad.Manifest(good.Manifest[..^20]),
        ["a manifest that is cut short under the name of the whole one"] = good => new Bad(
            good.ManifestPath,
            (good.ManifestPath, good.Manifest[..^20]),
            ("index.json", good.Index)
        ),
        ["a manifest that is no JSON at all"] = _ => Bad.Manifest("not a manifest"u8.ToArray()),
        ["an empty manifest"] = _ => Bad.Manifest([]),
        ["a manifest of 5 MB"] = good =>
            Bad.Manifest(
                good.Edited(json => json["annotations"] = new JsonObject { ["x"] = new string('x', FiveMegabytes) })
            ),
        ["a manifest nested 1,000 deep"] = good => Bad.Manifest(Deep(good.Manifest)),
        ["a manifest whose layer has a digest of an unknown algorithm"] = good =>
            Bad.Manifest(good.Edited(json => json["layers"]![0]!["digest"] = $"md5:{new string('a', 32)}")),
        ["a manifest whose layer has a malformed digest"] = good =>
            Bad.Manifest(good.Edited(json => json["layers"]![0]!["digest"] = "sha256:../../../etc")),
        ["a manifest whose layer has a negative size"] = good =>
            Bad.Manifest(good.Edited(json => json["layers"]![0]!["size"] = -1)),
        ["a manifest whose layers are no array"] = good => Bad.Manifest(good.Edited(json => json["layers"] = "none")),
        ["an index of 10,001 descriptors"] = _ => Bad.Manifest(Huge(), Layout.OciIndex),
        ["an index that is nested 1,000 deep"] = good => Bad.Manifest(Deep(good.Index), Layout.OciIndex),
        ["an index.json cut short"] = good => new Bad("index.json", ("index.json", good.Index[..^20])),
        ["an index.json that is empty"] = _ => new Bad("index.json", ("index.json", [])),
        ["an index.json of 5 MB"] = good => new Bad(
            "index.json",
            ("index.json", [.. good.Index, .. Encoding.UTF8.GetBytes(new string(' ', FiveMegabytes))])
        ),
        ["an index.json nested 1,000 deep"] = good => new Bad("index.json", ("index.json", Deep(good.Index))),
        ["an index.json of 10,001 descriptors"] = _ => new Bad("index.json", ("index.json", Huge())),
        ["an index.json with a digest of an unknown algorithm"] = good => new Bad(
            "index.json",
            ("index.json", good.IndexOf(one => one["digest"] = $"md5:{new string('a', 32)}"))
        ),
        ["a tag that is no tag"] = good => new Bad("index.json", ("index.json", good.IndexOf(Tag("no tag")))),
        ["a tag of 129 characters"] = good => new Bad(
            "index.json",
            ("index.json", good.IndexOf(Tag(new string('t', 129))))
        ),
    };

    /// <summary>Paths that are not one of a layout, below a repository with a good name.</summary>
    private static readonly string[] Paths =
    [
        "web/readme.txt",
        "web/blobs/readme.txt",
        $"web/blobs/md5/{Hex[..32]}",
        $"web/blobs/sha256/{Hex[1..]}",
        $"web/blobs/sha256/{Hex.ToUpperInvariant()}",
        $"web/blobs/sha256/{Hex}/more",
        $"web/blobs/sha512/{Hex}",
        // A repository name outside the grammar.
        $"Web/blobs/sha256/{Hex}",
        "web..2/index.json",
        "-web/index.json",
        "web front/index.json",
        // Longer than a key can hold.
        $"{new string('w', 600)}/index.json",
        $"{new string('w', 600)}/blobs/sha256/{Hex}",
        // Three-part names are good; this one has a bad part.
        "team/wEb/front/index.json",
    ];

    public static TheoryData<string> LayoutNames => [.. Layouts.Keys];

    public static TheoryData<string> PathNames => [.. Paths];

    [Theory]
    [MemberData(nameof(LayoutNames))]
    public async Task A_bad_file_is_refused_harms_nothing_and_heals(string name)
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var beside = await NeighbourAsync(account, "beside");
        await Host.ListsExactlyAsync(token, account, beside);
        var good = new Good(account);
        var bad = Layouts[name](good);

        // The good parts first, so that nothing but the bad one is in the way.
        await Host.LayoutAsync($"{account}/web", good.Layout, good.Blobs);
        foreach (var (path, bytes) in bad.Files)
        {
            await Host.FileAsync($"{account}/web/{path}", bytes);
        }

        var refusal = await Host.RefusedAsync($"{account}/web/{bad.Refused}");
        Assert.Equal("refused", refusal.State);
        Assert.False(string.IsNullOrWhiteSpace(refusal.Reason));
        var after = await NeighbourAsync(account, "later");
        await Host.ListsExactlyAsync(token, account, beside, after);

        await Host.LayoutAsync($"{account}/web", good.Layout);

        await Host.ListsExactlyAsync(token, account, beside, after, good.Listed);
        if (good.Layout.Files.ContainsKey(bad.Refused))
        {
            await Host.HealedAsync($"{account}/web/{bad.Refused}");
        }
    }

    [Theory]
    [MemberData(nameof(PathNames))]
    public async Task A_path_that_is_none_of_a_layouts_is_refused_and_harms_nothing(string path)
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);

        await Host.FileAsync($"{account}/{path}", "anything"u8.ToArray());

        var refusal = await Host.RefusedAsync($"{account}/{path}");
        Assert.Equal("refused", refusal.State);
        Assert.False(string.IsNullOrWhiteSpace(refusal.Reason));
        await Host.ListsExactlyAsync(token, account, await NeighbourAsync(account, "web"));
    }

    [Fact]
    public async Task An_official_app_of_two_parts_is_refused()
    {
        // Else a bare `team/web` could be an official image or one of the account `team`.
        var path = $"official/{Drop.Fresh("team")}/web/index.json";

        await Host.FileAsync(path, Layout.Small("official", "latest").Files["index.json"]);

        Assert.Equal("refused", (await Host.RefusedAsync(path)).State);
    }

    [Theory]
    [InlineData("readme{0}.txt")]
    [InlineData("Alice{0}/web/index.json")]
    [InlineData("-alice{0}/web/index.json")]
    [InlineData("alice {0}/web/index.json")]
    [InlineData("ALICE{0}/web/blobs/sha256/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public async Task A_path_without_a_valid_namespace_is_refused_in_a_partition_of_its_own(string shape)
    {
        var path = string.Format(shape, Drop.Fresh(""));

        await Host.FileAsync(path, "anything"u8.ToArray());

        var row = await Host.RefusedWithoutNamespaceAsync(path);
        Assert.Contains(row, property => property.Value is string text && text == path);
    }

    private async Task<JsonObject> NeighbourAsync(string account, string app)
    {
        var layout = new Layout();
        var image = layout.AddImage(app);
        await Host.LayoutAsync($"{account}/{app}", layout.Index(Layout.Tagged(image, "latest")));
        return layout.Listed($"{account}/{app}", image, app, "latest");
    }

    private static Action<JsonObject> Tag(string tag) =>
        descriptor => descriptor["annotations"] = Layout.Tagged(descriptor, tag)["annotations"]!.DeepClone();

    /// <summary>The same JSON with one member more, arrays 1,000 deep.</summary>
    private static byte[] Deep(byte[] json) =>
        [.. json[..^1], .. Encoding.UTF8.GetBytes($",\"deep\":{new string('[', 1000)}{new string(']', 1000)}}}")];

    /// <summary>Below 4 MB, so that the number of descriptors is what is wrong with it.</summary>
    private static byte[] Huge()
    {
        var manifests = Enumerable
            .Range(0, 10_001)
            .Select(number => new JsonObject
            {
                ["mediaType"] = Layout.OciManifest,
                ["digest"] = Layout.DigestOf(BitConverter.GetBytes(number)),
                ["size"] = 1,
            });
        var bytes = Encoding.UTF8.GetBytes(
            new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = Layout.OciIndex,
                ["manifests"] = new JsonArray([.. manifests]),
            }.ToJsonString()
        );
        Assert.InRange(bytes.Length, 1_000_000, 4_000_000);
        return bytes;
    }

    /// <summary>The good layout of one image at `web`, and ways to spoil it.</summary>
    private sealed class Good
    {
        private readonly JsonObject image;
        private readonly string account;

        public Good(string account)
        {
            this.account = account;
            image = Layout.AddImage(account);
            Layout.Index(Layout.Tagged(image, "latest"));
        }

        public Layout Layout { get; } = new();

        public string ManifestPath => Layout.PathOf(Layout.Digest(image));

        public byte[] Manifest => Layout.Files[ManifestPath];

        public byte[] Index => Layout.Files["index.json"];

        /// <summary>The files but the manifest and `index.json`.</summary>
        public IEnumerable<string> Blobs =>
            Layout.Files.Keys.Where(path => path != ManifestPath && path != "index.json");

        public JsonObject Listed => Layout.Listed($"{account}/web", image, account, "latest");

        public byte[] Edited(Action<JsonObject> edit)
        {
            var json = Layout.Read(image);
            edit(json);
            return Encoding.UTF8.GetBytes(json.ToJsonString());
        }

        /// <summary>`index.json` with its one descriptor changed.</summary>
        public byte[] IndexOf(Action<JsonObject> edit)
        {
            var descriptor = Layout.Manifests.Single();
            edit(descriptor);
            return new Layout().Index(descriptor).Files["index.json"];
        }
    }

    /// <summary>What is dropped instead of the manifest and `index.json` of the good layout, and which of it must be refused.</summary>
    private sealed record Bad(string Refused, params (string Path, byte[] Bytes)[] Files)
    {
        /// <summary>Bad bytes under their own right digest, named by an `index.json`: only what they say is wrong with them.</summary>
        public static Bad Manifest(byte[] bytes, string mediaType = Layout.OciManifest)
        {
            var layout = new Layout();
            var descriptor = layout.Add(mediaType, bytes);
            layout.Index(Layout.Tagged(descriptor, "latest"));
            var path = Layout.PathOf(Layout.Digest(descriptor));
            return new Bad(path, (path, bytes), ("index.json", layout.Files["index.json"]));
        }
    }
}
