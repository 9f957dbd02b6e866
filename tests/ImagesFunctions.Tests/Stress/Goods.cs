using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.Stress;

/// <summary>
/// What is pushed and dropped: images that share layers, indexes that share images, and manifests that refer to them. Of each
/// digest the bytes, and what an answer has to say of it.
/// </summary>
internal sealed class Goods
{
    private readonly Dictionary<string, JsonObject> _manifests = new(StringComparer.Ordinal);

    public Goods()
    {
        // So few that nearly every removal concerns what others need.
        JsonObject[] layers =
        [
            .. Enumerable.Range(0, 5).Select(i => Layout.Add(Layout.OciTar, Bytes(5_000 + i))),
            Layout.Add(Layout.OciTar, Bytes(6_000), "sha512"),
            Layout.Add(Layout.OciTar, Bytes(300_000)),
        ];
        // Longer than a buffer: it goes to its place as it comes.
        var large = Layout.Add(Layout.OciTar, Bytes(4_300_000));
        JsonObject[] images =
        [
            .. Enumerable.Range(0, 8).Select(i => Image($"{i}", layers[i % 7], layers[(i / 2 + 1 + i) % 7])),
            Image("large", layers[0], large),
            // Too long for its row.
            Image(new string('x', 70_000), layers[1]),
        ];
        JsonObject[] children = [.. Enumerable.Range(0, 4).Select(i => Image($"child {i}", layers[i], layers[i + 1]))];
        JsonObject[] indexes =
        [
            Index(null, children[0], children[1]),
            Index(null, children[1], children[2]),
            Index(null, Index(null, children[2], children[3]), children[0]),
            Index(images[0], children[3]),
        ];
        JsonObject[] referrers = [.. Enumerable.Range(0, 3).Select(i => Referrer(images[i / 2], layers[i + 2]))];
        Items = [.. images.Concat(indexes).Concat(referrers).Select(Layout.Digest)];
        foreach (var digest in Items)
        {
            Remember(digest);
        }
    }

    /// <summary>All blobs.</summary>
    public Layout Layout { get; } = new();

    /// <summary>The manifests that are pushed for their own sake.</summary>
    public IReadOnlyList<string> Items { get; }

    /// <summary>The manifests that only indexes name.</summary>
    public IEnumerable<string> Children => _manifests.Keys.Except(Items, StringComparer.Ordinal);

    /// <summary>Everything else.</summary>
    public IEnumerable<string> Blobs => _manifests.Keys.SelectMany(BlobsOf).Distinct(StringComparer.Ordinal);

    public byte[] this[string digest] => Layout.Files[Layout.PathOf(digest)];

    public bool IsManifest(string digest) => _manifests.ContainsKey(digest);

    public string TypeOf(string manifest) => _manifests[manifest]["mediaType"]!.GetValue<string>();

    public string? SubjectOf(string manifest) =>
        _manifests[manifest]["subject"] is { } subject ? Layout.Digest(subject.AsObject()) : null;

    /// <summary>The manifests that it names, which have to be pushed first.</summary>
    public IEnumerable<string> ChildrenOf(string manifest) =>
        (_manifests[manifest]["manifests"]?.AsArray() ?? []).Select(child => Layout.Digest(child!.AsObject()));

    /// <summary>The blobs that it names.</summary>
    public IEnumerable<string> BlobsOf(string manifest) =>
        (_manifests[manifest]["layers"]?.AsArray() ?? [])
            .Append(_manifests[manifest]["config"])
            .OfType<JsonNode>()
            .Select(blob => Layout.Digest(blob.AsObject()));

    /// <summary>It and all manifests below it.</summary>
    public IEnumerable<string> ManifestsOf(string manifest) =>
        ChildrenOf(manifest).SelectMany(ManifestsOf).Append(manifest);

    /// <summary>The descriptor of a manifest, with a tag.</summary>
    public JsonObject Descriptor(string manifest, string tag) =>
        Layout.Tagged(
            new JsonObject
            {
                ["mediaType"] = TypeOf(manifest),
                ["digest"] = manifest,
                ["size"] = this[manifest].Length,
            },
            tag
        );

    private static byte[] Bytes(int length) => RandomNumberGenerator.GetBytes(length);

    private JsonObject Image(string author, params JsonObject[] layers) =>
        Layout.AddManifest(
            Layout.Add(
                Layout.OciConfig,
                new JsonObject { ["config"] = new JsonObject { ["Labels"] = new JsonObject { ["author"] = author } } }
            ),
            layers
        );

    private JsonObject Index(JsonObject? subject, params JsonObject[] manifests)
    {
        var index = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = Layout.OciIndex,
            ["manifests"] = new JsonArray([.. manifests.Select(one => one.DeepClone())]),
        };
        if (subject is not null)
        {
            index["subject"] = subject.DeepClone();
        }

        return Layout.Add(Layout.OciIndex, index);
    }

    private JsonObject Referrer(JsonObject subject, JsonObject layer) =>
        Layout.Add(
            Layout.OciManifest,
            new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = Layout.OciManifest,
                ["artifactType"] = "application/vnd.example.signature",
                ["config"] = Layout.Add("application/vnd.oci.empty.v1+json", "{}"u8.ToArray()),
                ["layers"] = new JsonArray(layer.DeepClone()),
                ["subject"] = subject.DeepClone(),
            }
        );

    private void Remember(string digest)
    {
        _manifests[digest] = JsonNode.Parse(this[digest])!.AsObject();
        foreach (var child in ChildrenOf(digest))
        {
            Remember(child);
        }
    }
}
