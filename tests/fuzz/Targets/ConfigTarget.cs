using System.Text.Encodings.Web;
using System.Text.Json;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Fuzz.Targets;

/// <summary>
/// Configs: reading never fails; what was read and is written again reads the same, with nothing left out; and what lists show of it
/// is a part of it, is short, and stays as it is when it is shortened again.
/// </summary>
internal static class ConfigTarget
{
    private const int MaxLeftOut = 10;

    // The names of the four members and what is around them.
    private const int OfMembers = 64;

    public static void Check(byte[] input)
    {
        var config = ImageConfig.Read(input);
        Holds.True(config.LeftOut.Count <= MaxLeftOut, "more reasons than are kept");
        var again = ImageConfig.Read(Write(config, JavaScriptEncoder.Default));
        Holds.SameAll([], again.LeftOut, "what is left out of what was read");
        Holds.Same(config.LooksLikeOne, again.LooksLikeOne, "whether it looks like a config");
        Holds.Same(config.Created, again.Created, "created");
        Holds.SameAll(config.Args, again.Args, "the arguments");
        Holds.SameAll(config.Env, again.Env, "the environment");
        Holds.SameAll(InOrder(config.Labels), InOrder(again.Labels), "the labels");
        CheckShown(config);
    }

    private static void CheckShown(ImageConfig config)
    {
        var facts = new ImageFacts
        {
            Args = config.Args,
            Env = config.Env,
            Labels = config.Labels,
            Created = config.Created,
        };
        var shown = ShownFacts.Of(facts);
        var length = Write(shown, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).Length;
        Holds.True(length <= ShownFacts.MaxBytes + OfMembers, $"{length} bytes are shown");
        Holds.True(
            shown.Args.Count == 0 || shown.Args.SequenceEqual(facts.Args, StringComparer.Ordinal),
            "a part of the arguments is shown"
        );
        Holds.True(shown.Created is null || shown.Created == facts.Created, "another time is shown");
        Holds.True(shown.Labels.All(l => facts.Labels[l.Key] == l.Value), "other labels are shown");
        Holds.True(IsPart(shown.Env, facts.Env), "another environment is shown");

        var twice = ShownFacts.Of(shown);
        Holds.SameAll(shown.Args, twice.Args, "the arguments, shortened twice");
        Holds.SameAll(shown.Env, twice.Env, "the environment, shortened twice");
        Holds.SameAll(InOrder(shown.Labels), InOrder(twice.Labels), "the labels, shortened twice");
    }

    // Whether a list has the texts of another one in the same order, perhaps without some.
    private static bool IsPart(IReadOnlyList<string> part, IReadOnlyList<string> whole)
    {
        var at = 0;
        foreach (var text in whole)
        {
            at += at < part.Count && part[at] == text ? 1 : 0;
        }

        return at == part.Count;
    }

    private static IEnumerable<KeyValuePair<string, string>> InOrder(IReadOnlyDictionary<string, string> labels) =>
        labels.OrderBy(label => label.Key, StringComparer.Ordinal);

    private static byte[] Write(ImageConfig config, JavaScriptEncoder encoder) =>
        Write(
            encoder,
            json =>
            {
                if (config.LooksLikeOne)
                {
                    json.WriteStartObject("rootfs");
                    json.WriteEndObject();
                }

                Created(json, config.Created);
                json.WriteStartObject("config");
                Members(json, "Entrypoint", config.Args, config.Env, config.Labels);
                json.WriteEndObject();
            }
        );

    private static byte[] Write(ImageFacts facts, JavaScriptEncoder encoder) =>
        Write(
            encoder,
            json =>
            {
                Created(json, facts.Created);
                Members(json, "args", facts.Args, facts.Env, facts.Labels);
            }
        );

    private static byte[] Write(JavaScriptEncoder encoder, Action<Utf8JsonWriter> members)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = encoder }))
        {
            json.WriteStartObject();
            members(json);
            json.WriteEndObject();
        }

        return buffer.ToArray();
    }

    private static void Created(Utf8JsonWriter json, string? created)
    {
        if (created is not null)
        {
            json.WriteString("created", created);
        }
    }

    private static void Members(
        Utf8JsonWriter json,
        string nameOfArgs,
        IReadOnlyList<string> args,
        IReadOnlyList<string> env,
        IReadOnlyDictionary<string, string> labels
    )
    {
        Texts(nameOfArgs, args);
        Texts("Env", env);
        json.WriteStartObject("Labels");
        foreach (var (name, value) in labels)
        {
            json.WriteString(name, value);
        }

        json.WriteEndObject();

        void Texts(string name, IReadOnlyList<string> texts)
        {
            json.WriteStartArray(name);
            foreach (var text in texts)
            {
                json.WriteStringValue(text);
            }

            json.WriteEndArray();
        }
    }
}
