using System.Text.Json;

namespace ImagesFunctions.Local;

/// <summary>Members of JSON that may be missing, or of another kind.</summary>
internal static class JsonMembers
{
    /// <summary>A member at a path of names, such as <c>properties.filter</c>; null where there is none.</summary>
    public static JsonElement? At(this JsonElement json, string path)
    {
        foreach (var name in path.Split('.'))
        {
            if (json.ValueKind != JsonValueKind.Object || !json.TryGetProperty(name, out json))
            {
                return null;
            }
        }

        return json;
    }

    /// <summary>A text at a path; null where there is none.</summary>
    public static string? Text(this JsonElement json, string path) =>
        json.At(path) is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;

    /// <summary>The items of a list at a path; none where there is no list.</summary>
    public static IEnumerable<JsonElement> Items(this JsonElement json, string path) =>
        json.At(path) is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : [];
}
