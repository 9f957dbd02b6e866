using System.Text;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.Extensions.Configuration;

namespace ImagesFunctions.Exploration.Catalog;

/// <summary>The images of the repository that is explored: manifests that all need the same one blob.</summary>
internal static class Goods
{
    /// <summary>The app.</summary>
    public const string App = "web";

    private const int Manifests = 3;

    /// <summary>The repository.</summary>
    public static Repository Repository { get; } =
        Repository.TryParse($"{Model.ModelStorage.Partition}/{App}", out var repository)
            ? repository
            : throw new InvalidOperationException("no repository");

    /// <summary>The blob that all manifests need.</summary>
    public static Digest Layer { get; } = Digest.Sha256("a layer"u8);

    private static readonly byte[][] s_bytes = [.. Enumerable.Range(0, Manifests).Select(Bytes)];

    /// <summary>The digests of the manifests.</summary>
    public static IReadOnlyList<Digest> Images { get; } = [.. s_bytes.Select(bytes => Digest.Sha256(bytes))];

    /// <summary>What the service has to look at bytes. No request of it is ever sent: the steps here read the model's blobs.</summary>
    public static Content Content { get; } =
        new(
            StorageAccount.From(
                new ConfigurationBuilder()
                    .AddInMemoryCollection([new(StorageAccount.Section, "UseDevelopmentStorage=true")])
                    .Build()
            )
        );

    /// <summary>The path of a blob.</summary>
    public static BlobPath Path(Digest digest) => new(Repository, digest);

    /// <summary>The bytes of a manifest.</summary>
    public static byte[] BytesOf(Digest manifest) => s_bytes[((List<Digest>)[.. Images]).IndexOf(manifest)];

    /// <summary>What a manifest says.</summary>
    public static Manifest Parse(Digest manifest) => Manifest.Parse(BytesOf(manifest), MediaTypes.OciManifest);

    // No two have the same.
    private static byte[] Bytes(int number) =>
        Encoding.UTF8.GetBytes(
            $$$"""
            {"schemaVersion":2,"mediaType":"{{{MediaTypes.OciManifest}}}",
             "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{{Layer}}}","size":1},
             "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{{{Layer}}}","size":1}],
             "annotations":{"number":"{{{number}}}"}}
            """
        );

    /// <summary>The row of a manifest, as far as it follows from bytes.</summary>
    public static ImageRow RowOf(Digest manifest, string generation) =>
        new(App, manifest)
        {
            MediaType = MediaTypes.OciManifest,
            Size = 1,
            IsImage = true,
            Generation = generation,
        };
}
