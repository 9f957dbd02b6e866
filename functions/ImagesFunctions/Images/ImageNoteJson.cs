using System.Text.Json;
using ImagesFunctions.Listing;

namespace ImagesFunctions.Images;

/// <summary>A note about a manifest, as the problems show it.</summary>
internal static class ImageNoteJson
{
    /// <summary>Writes its members.</summary>
    public static void Write(Utf8JsonWriter json, ImageNote note)
    {
        json.WriteString("kind", note.Kind);
        json.WriteString("repository", note.Repository);
        json.WriteString("manifest", note.Manifest);
        json.WriteString("reason", note.Reason);
        json.WriteStartArray("tags");
        foreach (var tag in note.Tags)
        {
            json.WriteStringValue(tag);
        }

        json.WriteEndArray();
    }
}
