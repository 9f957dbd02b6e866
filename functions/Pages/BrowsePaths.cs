using ImagesFunctions.Oci;

namespace ImagesFunctions.Pages;

/// <summary>The addresses of pages. Names, digests and tags have no character that a path escapes.</summary>
internal static class BrowsePaths
{
    /// <summary>The page of a repository.</summary>
    public static string Of(Repository repository) => $"{BrowseRoutes.Root}/repository/{repository.DisplayName}";

    /// <summary>The page of a manifest.</summary>
    public static string Of(Repository repository, string digest) =>
        $"{BrowseRoutes.Root}/image/{repository.DisplayName}@{digest}";

    /// <summary>The page of what a tag names.</summary>
    public static string OfTag(Repository repository, string tag) =>
        $"{BrowseRoutes.Root}/image/{repository.DisplayName}:{tag}";

    /// <summary>The form that deletes an image or a tag.</summary>
    /// <param name="name">Its name, with the digest or the tag.</param>
    public static string Delete(string name) => $"{BrowseRoutes.Root}/delete/{name}";
}
