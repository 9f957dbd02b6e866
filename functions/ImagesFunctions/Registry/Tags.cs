using System.Buffers;
using System.Text.Json;
using ImagesFunctions.Http;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Registry;

/// <summary><c>/v2/&lt;name&gt;/tags/list</c> (spec, "Listing Tags").</summary>
internal sealed class Tags(StorageAccount account, RowStore rowStore)
{
    /// <summary>GET: the tags that can be pulled, in ordinal order.</summary>
    public async Task ListAsync(RegistryRequest request)
    {
        var page = Page.Of(request.Request);
        var rows = request.MayRead
            ? await rowStore.NamespaceAsync(request.Repository.Namespace, request.Repository.App, request.Stop)
            : new NamespaceRows();
        var complete = rows.Images.Values.Where(i => i.State == ImageState.Complete).ToList();
        if (complete.Count == 0 && !(request.MayRead && await account.IsKnownAsync(request.Repository, request.Stop)))
        {
            throw RegistryError.NameUnknown(request.Path.Name);
        }

        // A tag counts while its image exists.
        var live = complete.Select(i => (i.Digest, i.Generation)).ToHashSet();
        var tags = rows
            .Tags.Values.Where(t => t.Generation is { } generation && live.Contains((t.Digest, generation)))
            .Select(t => t.Tag)
            .Order(StringComparer.Ordinal);
        var listed = page.Take(tags, request.Response, $"/v2/{request.Path.Name}/tags/list");

        var body = new ArrayBufferWriter<byte>();
        await using (var json = new Utf8JsonWriter(body, Answers.Json))
        {
            json.WriteStartObject();
            json.WriteString("name", request.Path.Name);
            json.WriteStartArray("tags");
            foreach (var tag in listed)
            {
                json.WriteStringValue(tag);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        request.Response.Headers.CacheControl = "private, no-cache";
        await request.Response.WriteBodyAsync("application/json", body.WrittenMemory, request.Stop);
    }
}
