using System.Diagnostics.CodeAnalysis;
using System.Text.RegularExpressions;

namespace ImagesFunctions.Oci;

/// <summary>
/// A repository: a namespace, which is an account's name or <c>official</c>, and an app of one or more path parts
/// (OCI distribution spec, "Pulling manifests", the grammar of &lt;name&gt;). Only <see cref="TryParse(string?, out Repository?)"/> makes one.
/// </summary>
public sealed partial record Repository
{
    /// <summary>The namespace whose images all accounts may read.</summary>
    public const string Official = "official";

    /// <summary>The maximum length of <c>namespace/app</c>, in characters: clients accept it, and it fits a row key.</summary>
    public const int MaxName = 255;

    private Repository(string @namespace, string app)
    {
        Namespace = @namespace;
        App = app;
    }

    /// <summary>The first path part.</summary>
    public string Namespace { get; }

    /// <summary>All path parts after the first, with their slashes; exactly one part in <c>official</c>.</summary>
    public string App { get; }

    /// <summary>The name in the Images API: official repositories are without their namespace, and so without a slash.</summary>
    public string DisplayName => Namespace == Official ? App : ToString();

    /// <summary>Parses <c>namespace/app</c>. False outside the grammar, beyond 255 characters, or for a deeper official path.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Repository? repository)
    {
        repository = null;
        if (text is null || text.Length > MaxName || !Name().IsMatch(text))
        {
            return false;
        }

        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0)
        {
            return false;
        }

        var (ns, app) = (text[..slash], text[(slash + 1)..]);
        if (!IsNamespace(ns) || (ns == Official && app.Contains('/', StringComparison.Ordinal)))
        {
            return false;
        }

        repository = new Repository(ns, app);
        return true;
    }

    /// <summary>The repository of a namespace and an app that a row names.</summary>
    /// <exception cref="InvalidOperationException">They are not a valid repository.</exception>
    internal static Repository Of(string @namespace, string app) =>
        TryParse($"{@namespace}/{app}", out var repository)
            ? repository
            : throw new InvalidOperationException($"'{@namespace}/{app}' in a row is no repository");

    /// <summary>As <see cref="TryParse(string?, out Repository?)"/>, where a name of one part is an official app.</summary>
    public static bool TryParseDisplayName(
        [NotNullWhen(true)] string? text,
        [NotNullWhen(true)] out Repository? repository
    ) =>
        TryParse(
            text is null || text.Contains('/', StringComparison.Ordinal) ? text : $"{Official}/{text}",
            out repository
        );

    /// <summary>Whether this is a namespace, and so an account's name: one path part of a repository name.</summary>
    public static bool IsNamespace([NotNullWhen(true)] string? text) =>
        text is { Length: > 0 and <= 128 } && !text.Contains('/', StringComparison.Ordinal) && Name().IsMatch(text);

    /// <inheritdoc/>
    public override string ToString() => $"{Namespace}/{App}";

    [GeneratedRegex(
        @"\A[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\z",
        RegexOptions.CultureInvariant,
        matchTimeoutMilliseconds: 1_000
    )]
    private static partial Regex Name();
}
