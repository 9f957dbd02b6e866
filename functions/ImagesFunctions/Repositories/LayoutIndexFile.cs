using System.Security.Cryptography;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>An <c>index.json</c> as it stood (OCI image spec 1.1, image-layout.md).</summary>
/// <param name="Path">Where it stands.</param>
/// <param name="ETag">The ETag that it had.</param>
/// <param name="Manifests">The manifests that it names, each once.</param>
/// <param name="Tags">The tags that it names by <c>org.opencontainers.image.ref.name</c>.</param>
/// <param name="Hash">The SHA-256 of its bytes, in lower case.</param>
/// <param name="Problem">What of it does not count, in words that end a sentence; or null.</param>
internal sealed record LayoutIndexFile(
    IndexPath Path,
    string ETag,
    IReadOnlyList<Descriptor> Manifests,
    IReadOnlyDictionary<string, Digest> Tags,
    string Hash,
    string? Problem
)
{
    /// <summary>When it is applied, in whole milliseconds: what it sets says so.</summary>
    public DateTimeOffset At { get; init; }

    private const string RefName = "org.opencontainers.image.ref.name";

    /// <summary>The rows that say what it names.</summary>
    public List<DependencyRow> Naming() =>
        [.. Manifests.Select(m => new DependencyRow(Path.Repository.App, m.Digest, Dependent.Layout, m.MediaType))];

    /// <summary>Reads a file.</summary>
    /// <exception cref="InvalidContentException">It is not an OCI index.</exception>
    public static LayoutIndexFile Parse(IndexPath path, SmallBlob stored)
    {
        // Docker's list type would be legal inside, but the file itself is an OCI index (image-layout.md).
        var bytes =
            stored.Bytes
            ?? throw new InvalidContentException($"over {Manifest.MaxContent} bytes, which is the most that is read");
        var index = Manifest.Parse(bytes, MediaTypes.OciIndex);
        var problems = new List<string>();
        var tags = new Dictionary<string, Digest>(StringComparer.Ordinal);
        foreach (var descriptor in index.Manifests)
        {
            if (!descriptor.Annotations.TryGetValue(RefName, out var name))
            {
                continue;
            }

            var tag = Reference.TagOf(name);
            if (!Reference.IsTag(tag))
            {
                problems.Add($"'{name}' is not a tag and names none");
            }
            else if (!descriptor.IsManifest)
            {
                problems.Add($"the tag '{tag}' names a {descriptor.MediaType}, which is not a manifest");
            }
            else if (!tags.TryAdd(tag, descriptor.Digest) && tags[tag] != descriptor.Digest)
            {
                problems.Add($"the tag '{tag}' is named twice: the first one counts");
            }
        }

        var problem = problems.Count == 0 ? null : string.Join("; ", problems) + " (all else in the file counts)";
        return new LayoutIndexFile(
            path,
            stored.ETag,
            [.. index.Manifests.Where(m => m.IsManifest).DistinctBy(m => m.Digest)],
            tags,
            Convert.ToHexStringLower(SHA256.HashData(bytes)),
            problem
        );
    }
}
