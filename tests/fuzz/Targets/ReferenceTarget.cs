using System.Text;
using System.Text.RegularExpressions;
using ImagesFunctions.Oci;
using ImagesFunctions.Registry;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Fuzz.Targets;

/// <summary>
/// References, repositories, digests and paths: exactly what the grammars of the specifications describe is read, it is written as it
/// was read, and keys of rows keep the order of names.
/// </summary>
internal static class ReferenceTarget
{
    // The OCI distribution spec's <name> and <reference>, as they stand there, but for the end of the text.
    private const string Part = "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*";

    private static readonly Regex s_name = Whole($"{Part}(/{Part})*");
    private static readonly Regex s_tag = Whole("[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}");

    // The OCI image spec's <digest>, with what it says of the two registered algorithms.
    private static readonly Regex s_digest = Whole("[a-z0-9]+([+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+");
    private static readonly Regex s_registered = Whole("sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}");

    public static void Check(byte[] input)
    {
        var text = Encoding.UTF8.GetString(input);
        CheckDigest(text);
        CheckRepository(text);
        Holds.Same(s_tag.IsMatch(text), Reference.IsTag(text), "whether it is a tag");
        Reference.TagOf(text);
        if (Reference.TryParse(text, out var reference))
        {
            var written =
                reference.Repository.DisplayName + (reference.Tag is { } tag ? $":{tag}" : $"@{reference.Digest}");
            Holds.True((reference.Tag is null) != (reference.Digest is null), "a reference has a tag or a digest");
            Holds.True(Reference.TryParse(written, out var again) && again == reference, "a reference written again");
        }

        CheckPath(text);
        CheckOrder(text);
    }

    private static void CheckDigest(string text)
    {
        var isRead = Digest.TryParse(text, out var digest);
        var isLegal =
            text.Length <= 256
            && s_digest.IsMatch(text)
            && (!Regex.IsMatch(text, @"\Asha(256|512):") || s_registered.IsMatch(text));
        Holds.Same(isLegal, isRead, "whether it is a digest");
        if (digest is not null)
        {
            Holds.Same(text, digest.ToString(), "the digest");
        }
    }

    private static void CheckRepository(string text)
    {
        Holds.Same(
            text.Length is > 0 and <= 128 && !text.Contains('/', StringComparison.Ordinal) && s_name.IsMatch(text),
            Repository.IsNamespace(text),
            "whether it is a namespace"
        );
        if (!Repository.TryParse(text, out var repository))
        {
            return;
        }

        Holds.True(s_name.IsMatch(text) && text.Length <= Repository.MaxName, "what is no name counts as one");
        Holds.Same(text, repository.ToString(), "the repository");
        Holds.True(Repository.TryParseDisplayName(repository.DisplayName, out var again), "its name as it is shown");
        Holds.Same(repository, again!, "its name as it is shown");
        var key = Keys.Encode(repository.App);
        Holds.True(!key.AsSpan().ContainsAny("/\\#?!".AsSpan()), "a key of a row has what keys must not have");
    }

    // Two names, a line each: keys of rows sort as names do.
    private static void CheckOrder(string text)
    {
        if (
            text.Split('\n') is [var first, var second]
            && Repository.TryParseDisplayName(first, out var one)
            && Repository.TryParseDisplayName(second, out var other)
        )
        {
            Holds.Same(
                Math.Sign(string.CompareOrdinal(one.App, other.App)),
                Math.Sign(string.CompareOrdinal(Keys.Encode(one.App), Keys.Encode(other.App))),
                "the order of names and keys"
            );
        }
    }

    private static void CheckPath(string text)
    {
        if (LayoutPath.TryParse(text, out var path, out var refusal))
        {
            Holds.Same(text, path.ToString(), "the path");
            Holds.Same(path.Repository.Namespace, LayoutPath.NamespaceOf(text), "its namespace");
        }
        else
        {
            Holds.True(refusal.Length > 0, "a refusal has no reason");
        }

        if (RegistryPath.Parse($"/v2/{text}") is { } target)
        {
            Holds.True(target.Route.StartsWith("/v2/", StringComparison.Ordinal), "a route outside of /v2");
        }
    }

    private static Regex Whole(string pattern) =>
        new($@"\A(?:{pattern})\z", RegexOptions.NonBacktracking | RegexOptions.CultureInvariant);
}
