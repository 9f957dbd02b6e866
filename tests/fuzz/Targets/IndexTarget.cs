using System.Text.Json;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;

namespace ImagesFunctions.Fuzz.Targets;

/// <summary>
/// Files <c>index.json</c>: each tag is one, names a manifest of the file, and is read again from a file that has only what counted.
/// </summary>
internal static class IndexTarget
{
    private const string RefName = "org.opencontainers.image.ref.name";

    private static readonly IndexPath s_path = PathOf("fuzz/app/index.json");

    public static void Check(byte[] input)
    {
        LayoutIndexFile file;
        try
        {
            file = Parse(input);
        }
        catch (InvalidContentException error)
        {
            Holds.True(error.Message.Length > 0, "a refusal has no reason");
            return;
        }

        var digests = file.Manifests.Select(m => m.Digest).ToHashSet();
        Holds.Same(file.Manifests.Count, digests.Count, "each manifest, once");
        Holds.True(file.Manifests.All(m => m.IsManifest), "a descriptor of something else counts as a manifest");
        foreach (var (tag, digest) in file.Tags)
        {
            Holds.True(Reference.IsTag(tag), $"'{tag}' counts as a tag");
            Holds.Same(tag, Reference.TagOf(tag), "the tag of a tag");
            Holds.True(digests.Contains(digest), $"the tag {tag} names {digest}, which the file does not");
        }

        Holds.Same(file.Manifests.Count, file.Naming().Count, "rows for what it names");

        var again = Parse(Write(file));
        Holds.Same(null, again.Problem, "a problem with what counted");
        Holds.SameAll(Tags(file), Tags(again), "the tags");
        Holds.True(digests.SetEquals(again.Manifests.Select(m => m.Digest)), "other manifests");
    }

    private static LayoutIndexFile Parse(byte[] content) =>
        LayoutIndexFile.Parse(s_path, new SmallBlob("\"etag\"", content));

    private static IEnumerable<string> Tags(LayoutIndexFile file) =>
        file.Tags.Select(tag => $"{tag.Key} {tag.Value}").Order(StringComparer.Ordinal);

    private static byte[] Write(LayoutIndexFile file)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteNumber("schemaVersion", 2);
            json.WriteStartArray("manifests");
            foreach (var manifest in file.Manifests)
            {
                Write(json, manifest, null);
                foreach (var (tag, _) in file.Tags.Where(t => t.Value == manifest.Digest))
                {
                    Write(json, manifest, tag);
                }
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static void Write(Utf8JsonWriter json, Descriptor manifest, string? tag) =>
        ManifestText.Write(
            json,
            manifest with
            {
                Annotations = tag is null
                    ? new Dictionary<string, string>(StringComparer.Ordinal)
                    : new Dictionary<string, string>(StringComparer.Ordinal) { [RefName] = tag },
            }
        );

    private static IndexPath PathOf(string path) =>
        LayoutPath.TryParse(path, out var parsed, out var refusal)
            ? (IndexPath)parsed
            : throw new InvalidOperationException(refusal);
}
