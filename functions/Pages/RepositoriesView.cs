namespace ImagesFunctions.Pages;

/// <summary>A line of the repositories.</summary>
/// <param name="Name">The name, as the Images API writes it.</param>
/// <param name="Path">Its page.</param>
/// <param name="IsOfficial">Whether everybody sees it.</param>
/// <param name="Newest">The tag or the short digest of the image that came last.</param>
/// <param name="NewestPath">The page of that image.</param>
/// <param name="Pushed">When it came; null where that is not known.</param>
/// <param name="Images">How many images there are.</param>
/// <param name="Tags">How many tags they have.</param>
/// <param name="Size">The size of the newest image, in bytes.</param>
/// <param name="Platforms">Its platforms.</param>
/// <param name="IsSigned">Whether it has a signature.</param>
/// <param name="IsPinned">Whether an image of the repository is pinned.</param>
public sealed record RepositoryLine(
    string Name,
    string Path,
    bool IsOfficial,
    string Newest,
    string NewestPath,
    DateTimeOffset? Pushed,
    int Images,
    int Tags,
    long Size,
    IReadOnlyList<string> Platforms,
    bool IsSigned,
    bool IsPinned
);

/// <summary>A page of repositories.</summary>
/// <param name="Search">What their names have to have in them; "" for all.</param>
/// <param name="Sort">One of <see cref="Sorts"/>.</param>
/// <param name="IsEmpty">Whether there is none at all.</param>
/// <param name="Lines">Those of this page.</param>
/// <param name="Paging">Where it is.</param>
/// <param name="Now">The time of the page.</param>
public sealed record RepositoriesView(
    string Search,
    string Sort,
    bool IsEmpty,
    IReadOnlyList<RepositoryLine> Lines,
    Paging Paging,
    DateTimeOffset Now
)
{
    /// <summary>The orders: their names in addresses, and what people read.</summary>
    public static IReadOnlyList<(string Name, string Text)> Sorts { get; } =
    [("name", "Name"), ("newest", "Newest first"), ("size", "Largest first"), ("images", "Most images first")];
}
