using System.Buffers;
using System.Text.Json;
using ImagesFunctions.Http;
using ImagesFunctions.Listing;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Registry;

/// <summary><c>/v2/&lt;name&gt;/tags/list</c> (spec, "Listing Tags").</summary>
internal sealed class Tags(StorageAccount account, NamespaceLists lists)
{
    /// <summary>GET: the tags that can be pulled, in ordinal order, from the list that the process keeps.</summary>
    public async Task ListAsync(RegistryRequest request)
    {
        var page = Page.Of(request.Request);
        var (ns, app) = (request.Repository.Namespace, request.Repository.App);
        var names = request.MayRead ? (await lists.CurrentAsync(ns, app, request.Stop)).Names : RegistryNames.Empty;
        if (
            !names.Apps.Contains(app)
            && !(request.MayRead && await account.IsKnownAsync(request.Repository, request.Stop))
        )
        {
            throw RegistryError.NameUnknown(request.Path.Name);
        }

        var listed = page.Take(names.TagsAfter(app, page.Last), request.Response, $"/v2/{request.Path.Name}/tags/list");
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
