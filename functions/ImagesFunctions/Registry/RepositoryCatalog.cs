using System.Buffers;
using System.Text.Json;
using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Registry;

/// <summary><c>/v2/_catalog</c>: the caller's repositories and the official ones, by their whole names.</summary>
internal sealed class RepositoryCatalog(NamespaceLists lists)
{
    /// <summary>GET: those in which something can be pulled, in ordinal order, from the lists that the process keeps.</summary>
    public async Task ListAsync(HttpContext context, Access access)
    {
        var page = Page.Of(context.Request);
        // Two names are in the order of their namespaces with the slash, as no namespace has one.
        var namespaces = access.Namespaces.OrderBy(ns => $"{ns}/", StringComparer.Ordinal).ToList();
        var ofEach = await Task.WhenAll(
            namespaces.Select(ns => lists.CurrentAsync(ns, app: null, context.RequestAborted))
        );
        var names = namespaces
            .Zip(ofEach)
            .SelectMany(one => NamesAfter(page.Last, one.First, one.Second.Names, access));
        var listed = page.Take(names, context.Response, "/v2/_catalog");
        var body = new ArrayBufferWriter<byte>();
        await using (var json = new Utf8JsonWriter(body, Answers.Json))
        {
            json.WriteStartObject();
            json.WriteStartArray("repositories");
            foreach (var name in listed)
            {
                json.WriteStringValue(name);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        context.Response.Headers.CacheControl = "private, no-cache";
        await context.Response.WriteBodyAsync("application/json", body.WrittenMemory, context.RequestAborted);
    }

    private static IEnumerable<string> NamesAfter(string last, string @namespace, RegistryNames names, Access access)
    {
        var prefix = $"{@namespace}/";
        var apps =
            last.StartsWith(prefix, StringComparison.Ordinal) ? names.AppsAfter(last[prefix.Length..])
            : string.CompareOrdinal(prefix, last) > 0 ? names.AppsAfter("")
            : [];
        return (access.MayReadAll(@namespace) ? apps : apps.Where(app => access.MayRead(@namespace, app))).Select(app =>
            prefix + app
        );
    }
}
