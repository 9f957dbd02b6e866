using ImagesFunctions.Oci;

namespace ImagesFunctions.Accounts;

/// <summary>What may be done with repositories.</summary>
[Flags]
public enum Rights
{
    /// <summary>Nothing.</summary>
    None = 0,

    /// <summary>See and read them.</summary>
    Pull = 1,

    /// <summary>Push to them; includes <see cref="Pull"/>.</summary>
    Push = 2,

    /// <summary>Delete images and tags of them; includes <see cref="Pull"/>.</summary>
    Delete = 4,

    /// <summary>Unpin images of them.</summary>
    Admin = 8,

    /// <summary>All of these.</summary>
    All = Pull | Push | Delete | Admin,
}

/// <summary>Rights on repositories of one account.</summary>
public sealed record Grant
{
    private const int MaxPatterns = 50;

    private static readonly (string Name, Rights Right)[] s_names =
    [
        ("pull", Rights.Pull),
        ("push", Rights.Push),
        ("delete", Rights.Delete),
        ("admin", Rights.Admin),
    ];

    private Grant(Rights rights, IReadOnlyList<RepositoryPattern> repositories) =>
        (Rights, Repositories) = (rights, repositories);

    /// <summary>All rights on all repositories.</summary>
    public static Grant All { get; } = new(Rights.All, []);

    /// <summary>The right to pull from all repositories.</summary>
    public static Grant Pull { get; } = new(Rights.Pull, []);

    /// <summary>The rights that it was given, without those that they include.</summary>
    public Rights Rights { get; }

    /// <summary>Patterns of the repositories; none: all of them.</summary>
    public IReadOnlyList<RepositoryPattern> Repositories { get; }

    /// <summary>Whether it is no restriction.</summary>
    public bool IsAll => Rights == Rights.All && Repositories.Count == 0;

    /// <summary>Whether it allows to pull from all repositories, and nothing else.</summary>
    public bool IsPull => Rights == Rights.Pull && Repositories.Count == 0;

    /// <summary>The names of its rights, with commas between them.</summary>
    public string Allow => string.Join(',', s_names.Where(n => Rights.HasFlag(n.Right)).Select(n => n.Name));

    /// <summary>The patterns with blanks between them, which no pattern has; empty: all repositories.</summary>
    public string RepositoriesText => string.Join(' ', Repositories);

    /// <summary>Parses rights and repositories.</summary>
    /// <param name="allow">Names of rights with commas between them: <c>pull</c>, <c>push</c>, <c>delete</c>, <c>admin</c>.</param>
    /// <param name="repositories">Patterns; none: all repositories.</param>
    /// <exception cref="FormatException">One of them is malformed, no right is named, or there are more than 50 patterns.</exception>
    public static Grant Parse(string allow, IEnumerable<string> repositories)
    {
        var rights = Rights.None;
        foreach (var name in allow.Split(','))
        {
            var (known, right) = Array.Find(s_names, n => n.Name == name);
            rights |= known is not null
                ? right
                : throw new FormatException($"'{name}' is no right: there are pull, push, delete and admin");
        }

        var patterns = repositories
            .Select(text =>
                RepositoryPattern.TryParse(text, out var pattern)
                    ? pattern
                    : throw new FormatException(
                        $"'{text}' is no pattern of repositories: use their names without the account, such as web, web/* or team/**"
                    )
            )
            .Distinct()
            .ToList();
        return patterns.Count <= MaxPatterns
            ? new Grant(rights, patterns)
            : throw new FormatException($"{patterns.Count} patterns of repositories: there may be {MaxPatterns}");
    }

    /// <summary>What a row says; null where it says something that this version does not know, and so grants nothing.</summary>
    internal static Grant? Read(string? allow, string? repositories)
    {
        try
        {
            return allow is null
                ? null
                : Parse(allow, (repositories ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries));
        }
        catch (FormatException)
        {
            return null;
        }
    }

    /// <summary>Whether it has a right on all repositories.</summary>
    internal bool Has(Rights right) => Repositories.Count == 0 && Includes(right);

    /// <summary>Whether it has a right on an app.</summary>
    internal bool Has(Rights right, string app) =>
        Includes(right) && (Repositories.Count == 0 || Repositories.Any(p => p.Matches(app)));

    /// <summary>Whether it has a right on some repositories.</summary>
    internal bool Includes(Rights right) =>
        (Rights & (right == Rights.Pull ? Rights.Pull | Rights.Push | Rights.Delete : right)) != Rights.None;
}
