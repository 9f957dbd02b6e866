using System.Buffers;
using System.Text.Json;
using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Registry;

/// <summary><c>/v2/_catalog</c>: the caller's repositories and the official ones, by their full names.</summary>
internal sealed class RepositoryCatalog(StorageAccount account)
{
    // Behind so many images of one app in a row, a new query skips the rest of the app.
    private const int MaxInARow = 500;

    /// <summary>GET: the repositories with an image that can be pulled, in ordinal order.</summary>
    public async Task ListAsync(HttpContext context, Access access)
    {
        var page = Page.Of(context.Request);
        var names = new List<string>();
        foreach (var ns in access.Namespaces)
        {
            var apps = await AppsAsync(ns, context.RequestAborted);
            names.AddRange(apps.Select(app => $"{ns}/{app}"));
        }

        names.Sort(StringComparer.Ordinal);
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

    private async Task<HashSet<string>> AppsAsync(string @namespace, CancellationToken cancellationToken)
    {
        var apps = new HashSet<string>(StringComparer.Ordinal);
        for (KeyRange? left = Keys.All('i'); left is { } range; )
        {
            left = await AppsAsync(@namespace, range, apps, cancellationToken);
        }

        return apps;
    }

    // The range that is left, or null.
    private async Task<KeyRange?> AppsAsync(
        string @namespace,
        KeyRange range,
        HashSet<string> apps,
        CancellationToken cancellationToken
    )
    {
        var rows = account.ImageRows.Stream(@namespace, range, ["app", .. ImageHead.StateColumns]);
        var inARow = 0;
        await foreach (var row in rows.WithCancellation(cancellationToken))
        {
            var app = row.Text("app");
            if (apps.Contains(app))
            {
                if (++inARow == MaxInARow)
                {
                    return range with { From = Keys.OfApp('i', app).To };
                }
            }
            else if (ImageHead.StateOf(row) == ImageState.Complete)
            {
                apps.Add(app);
                inARow = 0;
            }
        }

        return null;
    }
}
