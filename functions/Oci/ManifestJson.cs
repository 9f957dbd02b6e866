using System.Text.Json;

namespace ImagesFunctions.Oci;

/// <summary>Reads the JSON of manifests and configs.</summary>
internal static class ManifestJson
{
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    /// <summary>Parses JSON strictly: an object of at most 64 levels, without duplicate members, with valid Unicode.</summary>
    /// <param name="content">The bytes.</param>
    /// <param name="read">Reads the result from the root.</param>
    /// <exception cref="InvalidContentException">The content is not such JSON.</exception>
    public static T Read<T>(ReadOnlyMemory<byte> content, Func<JsonElement, T> read)
    {
        try
        {
            using var document = JsonDocument.Parse(content, Strict);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? read(document.RootElement)
                : throw new InvalidContentException("not a JSON object");
        }
        catch (JsonException error)
        {
            throw new InvalidContentException(Describe(error));
        }
        catch (InvalidOperationException)
        {
            // Invalid UTF-8 and halves of escaped surrogate pairs are only detected when a text is read.
            throw new InvalidContentException("not valid JSON: a text is not valid Unicode");
        }
    }

    /// <summary>Says where JSON is invalid, for its author.</summary>
    public static string Describe(JsonException error) =>
        // The reader's message is about its own state. Only the error of a duplicate member has no position, and names the member.
        error.LineNumber
            is { } line
            ? $"not valid JSON, or nested too deep, at line {line + 1}, byte {error.BytePositionInLine + 1}"
            : $"not valid JSON: {error.Message.Split(" LineNumber:", 2)[0].TrimEnd('.')}";

    public static List<Descriptor> List(JsonElement parent, string name, ref int descriptors)
    {
        var list = new List<Descriptor>();
        if (!parent.TryGetProperty(name, out var array) || array.ValueKind == JsonValueKind.Null)
        {
            return list;
        }

        if (array.ValueKind != JsonValueKind.Array)
        {
            throw new InvalidContentException($"{name} is not an array");
        }

        foreach (var element in array.EnumerateArray())
        {
            list.Add(ReadDescriptor(element, $"{name}[{list.Count}]", ref descriptors));
        }

        return list;
    }

    public static Descriptor? Optional(JsonElement parent, string name, ref int descriptors) =>
        parent.TryGetProperty(name, out var element) && element.ValueKind != JsonValueKind.Null
            ? ReadDescriptor(element, name, ref descriptors)
            : null;

    private static Descriptor ReadDescriptor(JsonElement element, string where, ref int descriptors)
    {
        if (++descriptors > Manifest.MaxDescriptors)
        {
            throw new InvalidContentException($"more than {Manifest.MaxDescriptors} descriptors");
        }

        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidContentException($"{where} is not an object");
        }

        if (!Digest.TryParse(Text(element, "digest"), out var digest))
        {
            throw new InvalidContentException($"{where}.digest is not a digest");
        }

        if (!digest.IsSupported)
        {
            throw new InvalidContentException(
                $"{where}.digest: the algorithm {digest.Algorithm} is not supported: use sha256 or sha512"
            );
        }

        return new Descriptor(
            Text(element, "mediaType") ?? "",
            digest,
            ReadSize(element, where),
            Texts(element, "annotations"),
            ReadPlatform(element),
            HasUrls(element)
        );
    }

    private static long ReadSize(JsonElement element, string where) =>
        element.TryGetProperty("size", out var size)
        && size.ValueKind == JsonValueKind.Number
        && size.TryGetInt64(out var bytes)
        && bytes >= 0
            ? bytes
            : throw new InvalidContentException($"{where}.size is not a number of bytes");

    private static Platform? ReadPlatform(JsonElement element) =>
        element.TryGetProperty("platform", out var platform) && platform.ValueKind == JsonValueKind.Object
            ? new Platform(Text(platform, "os"), Text(platform, "architecture"))
            : null;

    private static bool HasUrls(JsonElement element) =>
        element.TryGetProperty("urls", out var urls)
        && urls.ValueKind == JsonValueKind.Array
        && urls.GetArrayLength() > 0;

    /// <summary>A text member, or null when it is absent or null.</summary>
    /// <exception cref="InvalidContentException">It is not a string.</exception>
    public static string? Text(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) ? TextOf(value, name) : null;

    /// <summary>A member that is an object of strings; empty when it is absent or null.</summary>
    /// <exception cref="InvalidContentException">It is not an object of strings.</exception>
    public static IReadOnlyDictionary<string, string> Texts(JsonElement parent, string name)
    {
        var texts = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!parent.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return texts;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidContentException($"{name} is not an object");
        }

        foreach (var member in value.EnumerateObject())
        {
            // Without a lookup by name, which would take minutes for 4 MiB of members.
            texts[member.Name] = TextOf(member.Value, member.Name) ?? "";
        }

        return texts;
    }

    private static string? TextOf(JsonElement value, string name) =>
        value.ValueKind switch
        {
            JsonValueKind.Null => null,
            JsonValueKind.String => value.GetString(),
            _ => throw new InvalidContentException($"{name} is not a string"),
        };
}
