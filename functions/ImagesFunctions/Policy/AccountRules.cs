using System.Text;
using System.Text.Json;

namespace ImagesFunctions.Policy;

/// <summary>The rules of an account, which it sets itself: one document.</summary>
/// <param name="Immutable">Which tags stay what they are.</param>
public sealed record AccountRules(IReadOnlyList<ImmutableTags> Immutable)
{
    /// <summary>The most characters of a document.</summary>
    public const int MaxText = 16 * 1_024;

    /// <summary>An account's without any.</summary>
    public static AccountRules None { get; } = new([]);

    /// <summary>What is kept, and what is removed once it is old.</summary>
    public IReadOnlyList<RetentionRule> Retention { get; init; } = [];

    /// <summary>Whether there is no rule.</summary>
    public bool IsEmpty => Immutable.Count == 0 && Retention.Count == 0;

    /// <summary>Whether something may go because of a rule.</summary>
    public bool Removes => Retention.Any(rule => rule.Removes);

    /// <summary>Whether a rule asks when images were pulled: then that is written down, for all repositories.</summary>
    public bool NotesPulls => Retention.Any(rule => rule.NotPulledFor is not null);

    /// <summary>The document in its one form, as rows have it.</summary>
    public string Text => Write(default);

    /// <summary>The document on lines of its own, for people.</summary>
    public string Readable => Write(new JsonWriterOptions { Indented = true, NewLine = "\n" });

    /// <summary>Reads a document.</summary>
    /// <param name="json">The document.</param>
    /// <param name="isStrict">Whether members that are unknown are refused; else they are passed over, as those of a newer version.</param>
    /// <exception cref="FormatException">It is none; the message names the member.</exception>
    public static AccountRules Parse(JsonElement json, bool isStrict = true) => RulesJson.Read(json, isStrict);

    /// <summary>As the other overload, of text.</summary>
    /// <exception cref="FormatException">It is none; the message names the member.</exception>
    public static AccountRules Parse(string text, bool isStrict = true)
    {
        try
        {
            using var document = JsonDocument.Parse(
                text,
                new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false }
            );
            return Parse(document.RootElement, isStrict);
        }
        catch (JsonException error)
        {
            throw new FormatException($"the rules are no JSON: {error.Message}", error);
        }
        catch (InvalidOperationException error)
        {
            // Half of an escaped surrogate pair.
            throw new FormatException("the rules are no JSON: a text is not valid Unicode", error);
        }
    }

    /// <summary>Writes the document as a JSON object.</summary>
    public void WriteTo(Utf8JsonWriter json) => RulesJson.Write(json, this);

    /// <summary>What the rules of retention say of an app; null where nothing of it goes.</summary>
    public RepositoryRetention? RetentionOf(string app) => RepositoryRetention.Of(Retention, app);

    /// <summary>Whether a rule is about tags of an app.</summary>
    public bool HasImmutable(string app) => Immutable.Any(rule => rule.IsAbout(app));

    /// <summary>The rule that keeps a tag as it is; null where none does.</summary>
    public ImmutableTags? ImmutableBy(string app, string tag) =>
        Immutable.FirstOrDefault(rule => rule.IsAbout(app, tag));

    private string Write(JsonWriterOptions options)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, options))
        {
            WriteTo(json);
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }
}
