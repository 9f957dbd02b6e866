using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Images;

/// <summary>The routes of the Images API below <c>/v1</c>.</summary>
internal static class ImagesApi
{
    public static void MapImagesApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapAuthorized("/v1/images/list", ListAsync, HttpMethods.Get);
    }

    private static async Task ListAsync(HttpContext context, string account)
    {
        var filter = await ListFilter.ReadAsync(context.Request, context.RequestAborted);
        var lists = context.RequestServices.GetRequiredService<ImageLists>();
        var entries = await lists.ListAsync(account, filter, context.RequestAborted);
        await Envelope.WriteImagesAsync(context, lists.WithFactsAsync(entries, context.RequestAborted), Write);
    }

    private static void Write(Utf8JsonWriter json, ListEntry entry)
    {
        var facts = entry.Row.Facts;
        json.WriteStartObject();
        json.WriteString("digest", $"{entry.Repository}@{entry.Row.Digest}");
        json.WriteStartArray("tags");
        foreach (var tag in entry.Tags)
        {
            json.WriteStringValue($"{entry.Repository}:{tag}");
        }

        json.WriteEndArray();
        json.WriteBoolean("initrd", facts.Initrd);
        json.WriteNumber("size_in_bytes", entry.Row.Size);
        json.WriteString("args", string.Join(' ', facts.Args));
        json.WriteString("kernel_args", facts.KernelArgs);
        json.WriteStartObject("labels");
        foreach (var (name, value) in facts.Labels.OrderBy(l => l.Key, StringComparer.Ordinal))
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }
}
