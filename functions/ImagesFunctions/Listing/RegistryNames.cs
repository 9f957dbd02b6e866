using System.Collections.Immutable;
using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Listing;

/// <summary>
/// The names of a namespace under which something can be pulled, as they are after one commit: what <c>tags/list</c> and
/// <c>_catalog</c> take their pages from. A page costs what it holds, however many names there are.
/// </summary>
/// <param name="Apps">The apps that have a complete manifest, in ordinal order.</param>
/// <param name="TagKeys">The row keys of the tags whose image is complete, in ordinal order.</param>
internal sealed record RegistryNames(ImmutableSortedSet<string> Apps, ImmutableSortedSet<string> TagKeys)
{
    /// <summary>Of a namespace without commits.</summary>
    public static RegistryNames Empty { get; } = new(Sorted(), Sorted());

    /// <summary>The apps behind this name, which need not be one of them; all behind "".</summary>
    public IEnumerable<string> AppsAfter(string last) => After(Apps, last);

    /// <summary>The tags of an app behind this one, which need not exist; all behind "".</summary>
    public IEnumerable<string> TagsAfter(string app, string last)
    {
        var range = Keys.OfApp('t', app);
        return After(TagKeys, range.From + last).TakeWhile(range.Contains).Select(key => key[range.From.Length..]);
    }

    private static ImmutableSortedSet<string> Sorted() => ImmutableSortedSet.Create<string>(StringComparer.Ordinal);

    private static IEnumerable<string> After(ImmutableSortedSet<string> names, string last)
    {
        var found = names.IndexOf(last);
        for (var i = found < 0 ? ~found : found + 1; i < names.Count; i++)
        {
            yield return names[i];
        }
    }
}

/// <summary>Follows the rows of a namespace, and says which names can be pulled. Not for use by several threads at once.</summary>
internal sealed class RegistryNamesBuilder
{
    private readonly ImmutableSortedSet<string>.Builder _apps = RegistryNames.Empty.Apps.ToBuilder();
    private readonly ImmutableSortedSet<string>.Builder _tagKeys = RegistryNames.Empty.TagKeys.ToBuilder();
    private readonly Dictionary<string, int> _completeOfApp = new(StringComparer.Ordinal);

    /// <summary>The names as they are now. What changes later shares all but what it touches.</summary>
    public RegistryNames ToNames() => new(_apps.ToImmutable(), _tagKeys.ToImmutable());

    /// <summary>Takes an image's row in place of another.</summary>
    /// <param name="before">The row until now; null where there was none.</param>
    /// <param name="after">The row from now on; null where there is none.</param>
    /// <param name="tags">The tags that name its digest.</param>
    public void SetImage(ImageRow? before, ImageRow? after, IEnumerable<TagRow> tags)
    {
        if (before is { State: ImageState.Complete })
        {
            Count(before.App, -1);
        }

        if (after is { State: ImageState.Complete })
        {
            Count(after.App, 1);
        }

        foreach (var tag in tags)
        {
            SetTag(tag.Key, tag, after);
        }
    }

    /// <summary>Takes a tag's row.</summary>
    /// <param name="key">The tag's key.</param>
    /// <param name="row">The row from now on; null where there is none.</param>
    /// <param name="image">The row of the image that it names, or null.</param>
    public void SetTag(string key, TagRow? row, ImageRow? image)
    {
        if (row is not null && image is { State: ImageState.Complete } && row.Generation == image.Generation)
        {
            _tagKeys.Add(key);
        }
        else
        {
            _tagKeys.Remove(key);
        }
    }

    private void Count(string app, int difference)
    {
        var count = _completeOfApp.GetValueOrDefault(app) + difference;
        if (count > 0)
        {
            _completeOfApp[app] = count;
            _apps.Add(app);
        }
        else
        {
            _completeOfApp.Remove(app);
            _apps.Remove(app);
        }
    }
}
