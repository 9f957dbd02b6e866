using System.Security.Cryptography;
using System.Text.Encodings.Web;
using System.Text.Json;
using ImagesFunctions.Blobs;
using ImagesFunctions.Ingest;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Rebuild;

/// <summary>
/// Writes <c>oci-layout</c> and <c>index.json</c> where a repository has none, as that of pushes has not: so that tools which read OCI
/// image layouts can read it (OCI image spec 1.1, image-layout.md). An <c>index.json</c> that is there is the user's.
/// </summary>
internal sealed class LayoutFiles(RowStore rowStore, Content content, BlobIngest ingest, string @namespace)
{
    // What is named beside its own tags.
    private sealed record Named(ImageRow Row, IReadOnlyList<string> Tags);

    /// <summary>Writes them. A repository with more images than an index can name gets none.</summary>
    public async Task WriteAsync(CancellationToken cancellationToken)
    {
        var (images, tags) = await ReadAsync(cancellationToken);
        foreach (
            var app in images.Where(i => i.State == ImageState.Complete).GroupBy(i => i.App, StringComparer.Ordinal)
        )
        {
            var children = app.SelectMany(i => i.Children).ToHashSet(StringComparer.Ordinal);
            var named = app.Select(i => new Named(i, [.. tags[(i.App, i.Digest, i.Generation)].Select(t => t.Tag)]))
                .Where(n => n.Tags.Count > 0 || !children.Contains(n.Row.Digest.ToString()));
            var bytes = Json(named);
            if (bytes.Length <= Manifest.MaxContent)
            {
                await WriteAsync(Repository.Of(@namespace, app.Key), bytes, cancellationToken);
            }
        }
    }

    private async Task<(
        IEnumerable<ImageRow> Images,
        ILookup<(string App, Digest Digest, string? Generation), TagRow> Tags
    )> ReadAsync(CancellationToken cancellationToken)
    {
        var images = new SortedDictionary<string, ImageRow>(StringComparer.Ordinal);
        var tags = new SortedDictionary<string, TagRow>(StringComparer.Ordinal);
        await rowStore.ScanAsync(
            @namespace,
            app: null,
            () =>
            {
                images.Clear();
                tags.Clear();
                return Apply;
            },
            cancellationToken
        );
        return (images.Values, tags.Values.ToLookup(t => (t.App, t.Digest, t.Generation)));

        void Apply(string key, TableRow? row)
        {
            if (row is null)
            {
                images.Remove(key);
                tags.Remove(key);
            }
            else if (key[0] == 't')
            {
                tags[key] = TagRow.From(row);
            }
            else
            {
                // All facts of a long namespace would be much.
                images[key] = ImageRow.From(row) with
                {
                    Facts = ImageFacts.None,
                };
            }
        }
    }

    private async Task WriteAsync(Repository repository, byte[] bytes, CancellationToken cancellationToken)
    {
        var path = new IndexPath(repository);
        if (await content.StatAsync(path, cancellationToken) is not null)
        {
            return;
        }

        // First what says that it is applied: its event changes nothing then.
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes));
        var row = new LayoutRow(repository.App, "", hash) { IsTaken = false };
        await rowStore.CommitAsync(
            @namespace,
            (view, stop) => Task.FromResult(Decision.Of(true, [row.ToChange()])),
            cancellationToken
        );
        await content.CreateAsync(new MarkerPath(repository), BootIndex.Layout.ToArray(), cancellationToken);
        await content.CreateAsync(path, bytes, cancellationToken);
        await ingest.LandedAsync(path, cancellationToken);
    }

    private static byte[] Json(IEnumerable<Named> images)
    {
        using var buffer = new MemoryStream();
        using (
            var json = new Utf8JsonWriter(
                buffer,
                new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }
            )
        )
        {
            json.WriteStartObject();
            json.WriteNumber("schemaVersion", 2);
            json.WriteString("mediaType", MediaTypes.OciIndex);
            json.WriteStartArray("manifests");
            foreach (var image in images)
            {
                foreach (var tag in image.Tags.DefaultIfEmpty())
                {
                    Write(json, image.Row, tag);
                }
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static void Write(Utf8JsonWriter json, ImageRow image, string? tag)
    {
        json.WriteStartObject();
        json.WriteString("mediaType", image.MediaType);
        json.WriteString("digest", image.Digest.ToString());
        json.WriteNumber("size", image.Stored?.Size ?? 0);
        if (tag is not null)
        {
            json.WriteStartObject("annotations");
            json.WriteString("org.opencontainers.image.ref.name", tag);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
