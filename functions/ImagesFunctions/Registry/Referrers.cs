using System.Buffers;
using System.Text.Json;
using ImagesFunctions.Blobs;
using ImagesFunctions.Http;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Registry;

/// <summary><c>/v2/&lt;name&gt;/referrers/&lt;digest&gt;</c> (spec, "Listing Referrers").</summary>
internal sealed class Referrers(StorageAccount account, RowStore rowStore, Content content)
{
    private const string Filter = "artifactType";

    // The answer is an index, and clients may refuse one that is longer than a manifest may be.
    private const int MaxPage = Manifest.MaxContent - 4_096;

    /// <summary>GET: descriptors of the manifests whose subject is this digest; an empty list for an unknown digest.</summary>
    public async Task ListAsync(RegistryRequest request)
    {
        var digest = request.Digest;
        var filter = request.Query(Filter);
        var body = new ArrayBufferWriter<byte>();
        await using (var json = new Utf8JsonWriter(body, Answers.Json))
        {
            json.WriteStartObject();
            json.WriteNumber("schemaVersion", 2);
            json.WriteString("mediaType", MediaTypes.OciIndex);
            json.WriteStartArray("manifests");
            if (request.MayRead && digest.IsSupported)
            {
                await WriteAsync(request, digest, filter, json);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        if (filter is not null)
        {
            request.Response.Headers["OCI-Filters-Applied"] = Filter;
        }

        request.Response.Headers.CacheControl = "private, no-cache";
        await request.Response.WriteBodyAsync(MediaTypes.OciIndex, body.WrittenMemory, request.Stop);
    }

    private async Task WriteAsync(RegistryRequest request, Digest subject, string? filter, Utf8JsonWriter json)
    {
        var repository = request.Repository;
        var last = request.Query("last") ?? "";
        var range = Keys.Referrers(repository.App, subject);
        // From where the page begins, and no further than it goes: a subject may have very many. What a client wrote is no
        // part of a query unless it could be a key.
        var from = string.Concat(range.From, string.Concat(last.TakeWhile(char.IsAsciiHexDigitLower)));
        var rows = account.ImageRows.Stream(repository.Namespace, range with { From = from });
        var after = last;
        var behind = rows.Select(ReferrerRow.From).Where(r => string.CompareOrdinal(r.Digest.ShortKey, after) > 0);
        await foreach (
            var (_, referrer) in behind.ReadEachAsync(r => WholeAsync(repository, r, request.Stop), request.Stop)
        )
        {
            if (referrer is null || (filter is not null && !MediaTypes.AreSame(referrer.ArtifactType, filter)))
            {
                continue;
            }

            var descriptor = Descriptor(referrer);
            var written = json.BytesCommitted + json.BytesPending;
            if (written > 1_024 && written + descriptor.WrittenCount > MaxPage)
            {
                request.Response.Headers.Link = Next(request, subject, filter, last);
                return;
            }

            json.WriteRawValue(descriptor.WrittenSpan, skipInputValidation: true);
            last = referrer.Digest.ShortKey;
        }
    }

    private static string Next(RegistryRequest request, Digest subject, string? filter, string last)
    {
        var filtered = filter is null ? "" : $"{Filter}={Uri.EscapeDataString(filter)}&";
        return $"</v2/{request.Path.Name}/referrers/{subject}?{filtered}last={last}>; rel=\"next\"";
    }

    // The referrer, with what does not fit into its row; null when its manifest does not count.
    private async Task<ReferrerRow?> WholeAsync(
        Repository repository,
        ReferrerRow row,
        CancellationToken cancellationToken
    )
    {
        if (await rowStore.ImageAsync(repository, row.Digest, cancellationToken) is not { State: ImageState.Complete })
        {
            return null;
        }

        if (row.Annotations is not null && (row.ArtifactType is not null || MediaTypes.IsIndex(row.MediaType)))
        {
            return row;
        }

        var path = new BlobPath(repository, row.Digest);
        if (
            await rowStore.BlobAsync(path, cancellationToken) is not { State: BlobState.Good } blob
            || await content.ReadAsync(path, blob.BlobETag, cancellationToken) is not { } bytes
        )
        {
            return null;
        }

        var manifest = Manifest.Parse(bytes, row.MediaType);
        return row with { ArtifactType = manifest.ReferrerType, Annotations = manifest.Annotations };
    }

    private static ArrayBufferWriter<byte> Descriptor(ReferrerRow referrer)
    {
        var body = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(body, Answers.Json);
        json.WriteStartObject();
        json.WriteString("mediaType", referrer.MediaType);
        json.WriteNumber("size", referrer.Size);
        json.WriteString("digest", referrer.Digest.ToString());
        if (!string.IsNullOrEmpty(referrer.ArtifactType))
        {
            json.WriteString(Filter, referrer.ArtifactType);
        }

        if (referrer.Annotations is { Count: > 0 } annotations)
        {
            json.WriteStartObject("annotations");
            foreach (var (name, value) in annotations)
            {
                json.WriteString(name, value);
            }

            json.WriteEndObject();
        }

        json.WriteEndObject();
        json.Flush();
        return body;
    }
}
