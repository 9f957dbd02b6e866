using System.Text.Json;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Ingest;

/// <summary>
/// A file of events that Event Grid could not deliver: an array of events in the Event Grid schema, each with the reason. Only
/// the path is taken from an event, as from one that was delivered.
/// </summary>
internal static class DeadLetter
{
    private const string Subject = $"/blobServices/default/containers/{StorageAccount.ImagesContainer}/blobs/";

    /// <summary>The paths inside the container <c>images</c> that the events are about, each once.</summary>
    /// <param name="file">The bytes of the file.</param>
    /// <returns>Null when the file is not of such events, or of no event at all.</returns>
    public static IReadOnlyCollection<string>? PathsOf(ReadOnlyMemory<byte> file)
    {
        try
        {
            using var json = JsonDocument.Parse(file);
            if (json.RootElement.ValueKind != JsonValueKind.Array)
            {
                return null;
            }

            var paths = new HashSet<string>(StringComparer.Ordinal);
            foreach (var undelivered in json.RootElement.EnumerateArray())
            {
                if (PathOf(undelivered) is not { } path)
                {
                    return null;
                }

                paths.Add(path);
            }

            return paths.Count == 0 ? null : paths;
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            // The second one is of text that is no Unicode.
            return null;
        }
    }

    private static string? PathOf(JsonElement undelivered) =>
        undelivered.ValueKind == JsonValueKind.Object
        && undelivered.TryGetProperty("subject", out var subject)
        && subject.ValueKind == JsonValueKind.String
        && subject.GetString()! is var text
        && text.StartsWith(Subject, StringComparison.Ordinal)
        && text.Length > Subject.Length
            ? text[Subject.Length..]
            : null;
}
