namespace ImagesFunctions.Pages;

/// <summary>What a repository takes.</summary>
/// <param name="Repository">It.</param>
/// <param name="Bytes">The bytes of its verified blobs.</param>
/// <param name="Blobs">How many those are.</param>
/// <param name="Images">How many manifests it has.</param>
/// <param name="Tags">How many tags it has.</param>
public sealed record UsageLine(NamedPath Repository, long Bytes, long Blobs, long Images, long Tags);

/// <summary>What an account takes, as the last collection of its garbage has left it.</summary>
/// <param name="At">When that was; null where there was none.</param>
/// <param name="Sum">Of all repositories.</param>
/// <param name="Lines">The largest repositories, in the order of their size.</param>
public sealed record UsageSection(DateTimeOffset? At, UsageLine Sum, IReadOnlyList<UsageLine> Lines)
{
    /// <summary>How many repositories are not shown.</summary>
    public int More { get; init; }

    /// <summary>How many bytes the account may store; null where that is not limited.</summary>
    public long? Quota { get; init; }

    /// <summary>How many it stores now; null where that is not counted.</summary>
    public long? Now { get; init; }
}

/// <summary>An image that would go.</summary>
/// <param name="Repository">Its repository.</param>
/// <param name="Image">It.</param>
/// <param name="Tags">The tags that would go with it.</param>
public sealed record GoingLine(NamedPath Repository, NamedPath Image, IReadOnlyList<string> Tags);

/// <summary>What rules would do now. Of very many only the first ones are shown.</summary>
/// <param name="Going">The images that would go.</param>
/// <param name="GoingCount">How many those are.</param>
/// <param name="Bytes">The bytes that would become free with them.</param>
/// <param name="Immutable">The tags that could not be changed any more, as <c>app:tag</c>.</param>
/// <param name="ImmutableCount">How many those are.</param>
public sealed record TrialSection(
    IReadOnlyList<GoingLine> Going,
    int GoingCount,
    long Bytes,
    IReadOnlyList<string> Immutable,
    int ImmutableCount
);

/// <summary>What an account takes, and its rules.</summary>
/// <param name="Usage">What it takes.</param>
/// <param name="Rules">The rules as JSON: those that are set, or what a form has sent.</param>
/// <param name="Version">What tells whether they were set again since the page was made.</param>
/// <param name="Now">The time of the page.</param>
public sealed record RulesView(UsageSection Usage, string Rules, string Version, DateTimeOffset Now)
{
    /// <summary>When they were set; null: never.</summary>
    public DateTimeOffset? SetAt { get; init; }

    /// <summary>Who has set them; null where an operator did.</summary>
    public AuthorLine? SetBy { get; init; }

    /// <summary>What those of a form would do; null where it was not asked.</summary>
    public TrialSection? Trial { get; init; }

    /// <summary>What is wrong with those of a form; "" for nothing.</summary>
    public string Wrong { get; init; } = "";
}
