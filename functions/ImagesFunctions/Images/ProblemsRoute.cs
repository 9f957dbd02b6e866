using System.Text.Json;
using ImagesFunctions.Accounts;
using ImagesFunctions.Listing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Images;

/// <summary><c>/v1/images/problems</c>: what waits, and what was refused.</summary>
internal static class ProblemsRoute
{
    public static async Task ShowAsync(HttpContext context, Access access)
    {
        var asked = ProblemsQuery.Read(context.Request);
        var status = await context
            .RequestServices.GetRequiredService<StatusReader>()
            .ProblemsAsync(access.Account, context.RequestAborted);
        context.Response.Headers.CacheControl = "private, no-cache";
        context.Response.Headers.Vary = "Authorization, Accept-Encoding";
        await Envelope.WriteDataAsync(
            context,
            "success",
            message: null,
            "problems",
            Problems(asked.Of(access, status)),
            (body, write) =>
            {
                Envelope.WriteObject(body, write);
                return ValueTask.CompletedTask;
            }
        );
    }

    private static IEnumerable<Action<Utf8JsonWriter>> Problems(IngestStatus status)
    {
        foreach (var refused in status.Refused)
        {
            yield return json =>
            {
                json.WriteString("kind", refused.State);
                json.WriteString("path", refused.Path);
                json.WriteString("reason", refused.Reason);
                if (refused.ActualDigest is not null)
                {
                    json.WriteString("digest", refused.ActualDigest);
                }

                json.WriteString("at", refused.At.ToUniversalTime());
            };
        }

        foreach (var note in status.Notes)
        {
            yield return json => ImageNoteJson.Write(json, note);
        }

        var tags = status.PendingTags.ToLookup(t => (t.Repository, t.Digest), t => t.Tag);
        foreach (var waiting in status.Waiting)
        {
            yield return json =>
            {
                json.WriteString("kind", "waiting");
                json.WriteString("repository", waiting.Repository);
                json.WriteString("manifest", waiting.Manifest);
                WriteTexts(json, "missing", waiting.Missing);
                WriteTexts(json, "tags", tags[(waiting.Repository, waiting.Manifest)].Order(StringComparer.Ordinal));
            };
        }
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IEnumerable<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
