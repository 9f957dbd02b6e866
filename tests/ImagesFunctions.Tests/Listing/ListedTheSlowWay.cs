using ImagesFunctions.Storage;

namespace ImagesFunctions.Tests.Listing;

/// <summary>
/// Which images lists show, said once more, from all rows at once: what <see cref="ListedRows{T}"/> has to come to commit
/// by commit. Needs the children.
/// </summary>
internal static class ListedTheSlowWay
{
    public static IEnumerable<(ImageRow Row, IReadOnlyList<string> Tags)> Listed(this NamespaceRows rows)
    {
        var complete = rows.Images.Values.Where(i => i.State == ImageState.Complete).ToList();
        // A tag of an image that was deleted, and landed again, has the old generation.
        var tags = rows
            .Tags.Values.Where(t => t.Generation is not null)
            .ToLookup(t => (t.App, t.Digest, t.Generation), t => t.Tag);
        // An index that misses something counts as long as it has a tag: so what it names does not come and go while it
        // lands or heals, and what nobody awaits keeps nothing back.
        var waiting = rows
            .Images.Values.Where(i => i.State is ImageState.Waiting or ImageState.Hidden)
            .ToDictionary(i => (i.App, i.Digest.ToString()), i => i.Children);
        var children = rows
            .Images.Values.Where(i => i.State is ImageState.Complete or ImageState.Deleted)
            .SelectMany(i => i.Children.Select(c => (i.App, Child: c)))
            .ToHashSet();
        var awaited = new Stack<(string App, string Digest)>(
            rows.Tags.Values.Select(t => (t.App, t.Digest.ToString()))
        );
        while (awaited.TryPop(out var one))
        {
            // An index that it names, and that misses something as well, is awaited with it.
            if (waiting.Remove(one, out var named))
            {
                foreach (var child in named.Select(c => (one.App, c)))
                {
                    children.Add(child);
                    awaited.Push(child);
                }
            }
        }

        foreach (var image in complete.Where(i => i.IsImage))
        {
            List<string> own = [.. tags[(image.App, image.Digest, image.Generation)]];
            if (own.Count > 0 || !children.Contains((image.App, image.Digest.ToString())))
            {
                own.Sort(StringComparer.Ordinal);
                yield return (image, own);
            }
        }
    }
}
