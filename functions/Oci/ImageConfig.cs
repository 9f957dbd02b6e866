using System.Text.Json;

namespace ImagesFunctions.Oci;

/// <summary>
/// The parts of an image's config that lists show (OCI image spec, config.md). Some tools write malformed configs: a part that
/// cannot be read is left out and reported, and does not affect the others.
/// </summary>
public sealed record ImageConfig
{
    private const int MaxLeftOut = 10;

    private static readonly JsonDocumentOptions Lenient = new() { MaxDepth = 64 };

    private readonly List<string> _leftOut = [];

    /// <summary>Entrypoint followed by Cmd.</summary>
    public IReadOnlyList<string> Args { get; private set; } = [];

    /// <summary>The environment, each <c>NAME=value</c>.</summary>
    public IReadOnlyList<string> Env { get; private set; } = [];

    /// <summary>The labels.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; private set; } = ImageFacts.None.Labels;

    /// <summary>When the image was created, as the config says (RFC 3339), or null.</summary>
    public string? Created { get; private set; }

    /// <summary>Whether the content looks like an image config; it decides where the media type does not.</summary>
    public bool LooksLikeOne { get; private set; }

    /// <summary>The parts that could not be read, each as a sentence.</summary>
    public IReadOnlyList<string> LeftOut => _leftOut;

    /// <summary>A config of which nothing is read.</summary>
    public static ImageConfig Unread(string reason)
    {
        var config = new ImageConfig();
        config._leftOut.Add(reason);
        return config;
    }

    /// <summary>Parses a config. Never fails: what cannot be read is in <see cref="LeftOut"/>.</summary>
    public static ImageConfig Read(ReadOnlyMemory<byte> content)
    {
        try
        {
            using var document = JsonDocument.Parse(content, Lenient);
            if (document.RootElement.ValueKind != JsonValueKind.Object)
            {
                return Unread("the config is not a JSON object");
            }

            var config = new ImageConfig();
            config.ReadRoot(document.RootElement);
            return config;
        }
        catch (JsonException error)
        {
            return Unread($"the config is {ManifestJson.Describe(error)}");
        }
    }

    private void ReadRoot(JsonElement root)
    {
        LooksLikeOne = Take("rootfs", false, () => IsImageConfig(root));
        Created = Take(
            "created",
            null,
            () =>
                !IsThere(root, "created", out var created) ? null
                : created.ValueKind == JsonValueKind.String ? created.GetString()
                : LeaveOut<string?>("created is not a string", null)
        );
        var isThere = Take("config", false, () => IsThere(root, "config", out var _));
        if (!isThere)
        {
            return;
        }

        var run = root.GetProperty("config");
        if (run.ValueKind != JsonValueKind.Object)
        {
            LeaveOut("config is not an object", false);
            return;
        }

        Args = [.. Take("Entrypoint", [], () => Words(run, "Entrypoint")), .. Take("Cmd", [], () => Words(run, "Cmd"))];
        Env = Take("Env", [], () => Variables(run));
        Labels = Take("Labels", Labels, () => ReadLabels(run));
    }

    // Not the config of a Docker plugin, which has a root file system too.
    private static bool IsImageConfig(JsonElement root) =>
        !root.TryGetProperty("interface", out _)
        && (
            (root.TryGetProperty("rootfs", out var rootfs) && rootfs.ValueKind == JsonValueKind.Object)
            || (IsText(root, "os") && IsText(root, "architecture"))
        );

    // Docker accepts a string as a list of one. A command is read as a whole or not at all: half of it is another command.
    private List<string> Words(JsonElement run, string name)
    {
        if (!IsThere(run, name, out var value))
        {
            return [];
        }

        if (value.ValueKind == JsonValueKind.String)
        {
            return value.GetString() is { Length: > 0 } one ? [one] : [];
        }

        return
            value.ValueKind == JsonValueKind.Array
            && value.EnumerateArray().All(e => e.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(e => e.GetString()!)]
            : LeaveOut<List<string>>($"{name} is not an array of strings", []);
    }

    private List<string> Variables(JsonElement run)
    {
        if (!IsThere(run, "Env", out var value))
        {
            return [];
        }

        if (value.ValueKind != JsonValueKind.Array)
        {
            return LeaveOut<List<string>>("Env is not an array of strings", []);
        }

        var variables = new List<string>();
        foreach (var (i, element) in value.EnumerateArray().Index())
        {
            if (Text(element, $"Env[{i}]") is { } variable)
            {
                variables.Add(variable);
            }
        }

        return variables;
    }

    private Dictionary<string, string> ReadLabels(JsonElement run)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        if (!IsThere(run, "Labels", out var value))
        {
            return labels;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            return LeaveOut("Labels is not an object", labels);
        }

        foreach (var member in value.EnumerateObject())
        {
            // A name that is not valid Unicode cannot be reported.
            if (Take<string?>("Labels", null, () => member.Name) is not { } name)
            {
                continue;
            }

            var text = member.Value.ValueKind == JsonValueKind.Null ? "" : Text(member.Value, $"the label '{name}'");
            if (text is not null)
            {
                labels[name] = text;
            }
        }

        return labels;
    }

    private string? Text(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.String
            ? Take<string?>(name, null, value.GetString)
            : LeaveOut<string?>($"{name} is not a string", null);

    // Invalid UTF-8 and halves of escaped surrogate pairs are only detected when a text is read.
    private T Take<T>(string name, T none, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidOperationException)
        {
            return LeaveOut($"{name} is not valid Unicode", none);
        }
    }

    private T LeaveOut<T>(string reason, T none)
    {
        if (_leftOut.Count < MaxLeftOut && !_leftOut.Contains(reason, StringComparer.Ordinal))
        {
            _leftOut.Add(reason);
        }

        return none;
    }

    private static bool IsText(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String;

    private static bool IsThere(JsonElement parent, string name, out JsonElement value) =>
        parent.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
}
