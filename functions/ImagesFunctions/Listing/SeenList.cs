using ImagesFunctions.Journal;

namespace ImagesFunctions.Listing;

/// <summary>Lists for callers who may not see all of a namespace.</summary>
internal static class SeenList
{
    /// <summary>The images of a range that are in apps which the caller sees: nothing else of the list can be found in it.</summary>
    /// <param name="list">The list.</param>
    /// <param name="range">The keys.</param>
    /// <param name="sees">Whether the caller sees an app.</param>
    public static NamespaceList Only(this NamespaceList list, KeyRange range, Func<string, bool> sees)
    {
        // Images are in the order of their apps.
        var (app, isSeen) = ("", false);
        bool IsSeen(ListedImage image)
        {
            if (image.Row.App != app)
            {
                (app, isSeen) = (image.Row.App, sees(image.Row.App));
            }

            return isSeen;
        }

        return new NamespaceList(list.Seq, [.. ListChunk.Of(list.In(range, "", tagged: false).Where(IsSeen))]);
    }
}
