using ImagesFunctions.Oci;

namespace ImagesFunctions.Policy;

/// <summary>A time as it was written, such as <c>7d</c>.</summary>
/// <param name="Text">As it was written.</param>
/// <param name="Time">What it says.</param>
public sealed record Period(string Text, TimeSpan Time);

/// <summary>A rule: what of these repositories is kept, and what is removed once it is old.</summary>
/// <param name="Repositories">Patterns of apps; at least one.</param>
public sealed record RetentionRule(IReadOnlyList<RepositoryPattern> Repositories)
{
    /// <summary>The most tagged images that a rule keeps in a repository.</summary>
    public const int MaxNewest = 1_000;

    /// <summary>How many of the tagged images of a repository stay, those whose tags were set last; null where it says nothing of that.</summary>
    public int? Newest { get; init; }

    /// <summary>Patterns of tags whose images stay.</summary>
    public IReadOnlyList<TagPattern> Tags { get; init; } = [];

    /// <summary>From which age on images without a tag go; null: never.</summary>
    public Period? UntaggedAfter { get; init; }

    /// <summary>From which age on images with a tag go; null: never.</summary>
    public Period? NotPushedFor { get; init; }

    /// <summary>From which age on images go, with a tag or without, that nobody pulls; null: never.</summary>
    public Period? NotPulledFor { get; init; }

    /// <summary>Whether something may go because of it.</summary>
    public bool Removes => UntaggedAfter is not null || NotPushedFor is not null || NotPulledFor is not null;

    /// <summary>Whether it is about an app.</summary>
    public bool IsAbout(string app) => Repositories.Any(p => p.Matches(app));
}

/// <summary>An age from which on an image goes.</summary>
/// <param name="Age">The age.</param>
/// <param name="CountsPulls">Whether a pull makes the image young, as a push does.</param>
public readonly record struct AgeLimit(TimeSpan Age, bool CountsPulls);

/// <summary>What all rules together say of one repository: what one of them keeps stays, whatever the others say.</summary>
/// <param name="Newest">How many of the tagged images stay, those whose tags were set last.</param>
/// <param name="Untagged">From which age on images without a tag go; null: never.</param>
/// <param name="NotPushed">From which age on images with a tag go; null: never.</param>
public sealed record RepositoryRetention(int Newest, TimeSpan? Untagged, TimeSpan? NotPushed)
{
    /// <summary>Patterns of tags whose images stay.</summary>
    public IReadOnlyList<TagPattern> Tags { get; init; } = [];

    /// <summary>From which age on images go, with a tag or without, that nobody pulls; null: never.</summary>
    public TimeSpan? NotPulled { get; init; }

    /// <summary>The age from which on something may go.</summary>
    public TimeSpan Earliest => new[] { Untagged, NotPushed, NotPulled }.Min() ?? TimeSpan.MaxValue;

    /// <summary>From which ages on an image goes: one of them is enough. None: never.</summary>
    public IReadOnlyList<AgeLimit> Limits(bool isTagged)
    {
        var limits = new List<AgeLimit>();
        if ((isTagged ? NotPushed : Untagged) is { } pushed)
        {
            limits.Add(new AgeLimit(pushed, CountsPulls: false));
        }

        if (NotPulled is { } pulled)
        {
            limits.Add(new AgeLimit(pulled, CountsPulls: true));
        }

        return limits;
    }

    /// <summary>Whether the image of a tag stays because of the tag.</summary>
    public bool Keeps(string tag) => Tags.Any(p => p.Matches(tag));

    /// <summary>What rules say of an app; null where nothing of it goes.</summary>
    public static RepositoryRetention? Of(IEnumerable<RetentionRule> rules, string app)
    {
        var about = rules.Where(rule => rule.IsAbout(app)).ToList();
        return about.Exists(rule => rule.Removes)
            ? new RepositoryRetention(
                about.Max(rule => rule.Newest ?? 0),
                about.Min(rule => rule.UntaggedAfter?.Time),
                about.Min(rule => rule.NotPushedFor?.Time)
            )
            {
                NotPulled = about.Min(rule => rule.NotPulledFor?.Time),
                Tags = [.. about.SelectMany(rule => rule.Tags)],
            }
            : null;
    }
}
