using System.Buffers;
using System.Text.Json;
using ImagesFunctions.Http;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Registry;

/// <summary><c>/v2/&lt;name&gt;/referrers/&lt;digest&gt;</c> (spec, "Listing Referrers").</summary>
internal sealed class Referrers(ReferrerReads referrers)
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
        await foreach (var referrer in referrers.OfAsync(repository, subject, last, request.Stop))
        {
            if (filter is not null && !MediaTypes.AreSame(referrer.ArtifactType, filter))
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
