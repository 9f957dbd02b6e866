using ImagesFunctions.Oci;

namespace ImagesFunctions.Pages;

/// <summary>A name that leads to a page.</summary>
/// <param name="Text">What is read.</param>
/// <param name="Path">The page.</param>
public sealed record NamedPath(string Text, string Path)
{
    /// <summary>That of a repository.</summary>
    internal static NamedPath Of(Repository repository) => new(repository.DisplayName, BrowsePaths.Of(repository));

    /// <summary>That of the repository of a name; of what is none only the text.</summary>
    /// <param name="name">The name, with its namespace or of an official repository.</param>
    internal static NamedPath OfName(string name) =>
        Repository.TryParse(name, out var repository) ? Of(repository) : new NamedPath(name, "");
}

/// <summary>A line of a repository.</summary>
/// <param name="Digest">The digest of the image.</param>
/// <param name="Path">Its page.</param>
/// <param name="Tags">Its tags, of very many the first ones.</param>
/// <param name="TagCount">How many it has.</param>
/// <param name="Size">Its size in bytes.</param>
/// <param name="Platforms">Its platforms.</param>
/// <param name="Pushed">When it came; null where that is not known.</param>
/// <param name="PushedBy">Who pushed it; null where nobody is known.</param>
/// <param name="Pulled">The day (UTC) on which it was pulled last; null where that is not known.</param>
/// <param name="IsSigned">Whether it has a signature.</param>
/// <param name="IsPinned">Whether it is pinned.</param>
public sealed record ImageLine(
    string Digest,
    string Path,
    IReadOnlyList<NamedPath> Tags,
    int TagCount,
    long Size,
    IReadOnlyList<string> Platforms,
    DateTimeOffset? Pushed,
    AuthorLine? PushedBy,
    DateOnly? Pulled,
    bool IsSigned,
    bool IsPinned
);

/// <summary>A page of a repository.</summary>
/// <param name="Name">Its name, as the Images API writes it.</param>
/// <param name="Path">Its page.</param>
/// <param name="IsOfficial">Whether everybody sees it.</param>
/// <param name="Search">What a tag or digest has to have in it; "" for all.</param>
/// <param name="Lines">The images of this page, the newest first.</param>
/// <param name="Paging">Where it is.</param>
/// <param name="Commands">Lines to type, for the newest image; empty where there is none.</param>
/// <param name="Others">Tags of what is not an image, such as signatures; of very many the first ones.</param>
/// <param name="IsDeleted">Whether something was deleted just now.</param>
/// <param name="Now">The time of the page.</param>
public sealed record RepositoryView(
    string Name,
    string Path,
    bool IsOfficial,
    string Search,
    IReadOnlyList<ImageLine> Lines,
    Paging Paging,
    IReadOnlyList<CommandLine> Commands,
    IReadOnlyList<NamedPath> Others,
    bool IsDeleted,
    DateTimeOffset Now
);
