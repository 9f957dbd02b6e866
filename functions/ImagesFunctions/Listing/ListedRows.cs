using System.Collections.Immutable;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Listing;

/// <summary>
/// Decides which images of a namespace, or of one app of it, lists show: complete images. An image that an index of the same
/// repository names is listed only if it has a tag itself, whether the index is complete, awaited or deleted (docs/storage.md). It
/// follows commits one after the other, and checks only what each one touches. Not thread-safe.
/// </summary>
/// <param name="keep">Makes what is kept of an image's facts; the kept row has none.</param>
internal sealed class ListedRows<T>(Func<ImageRow, T> keep)
    where T : class
{
    // Apps and media types, each of which many rows have.
    private readonly Dictionary<string, string> _shared = new(StringComparer.Ordinal);

    private readonly Dictionary<string, Node> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TagRow> _tags = new(StringComparer.Ordinal);
    private readonly RegistryNamesBuilder _names = new();

    // A digest of an app: its row, the tags that point to it, and the indexes that name it.
    private sealed class Node
    {
        public ImageRow? Row { get; set; }

        public T? Facts { get; set; }

        // Null while empty, to save memory: most images have few tags and no index.
        public List<TagRow>? Tags { get; set; }

        public HashSet<string>? NamedBy { get; set; }

        public bool Misses => Row?.State is ImageState.Waiting or ImageState.Hidden;

        // Has no row, and nothing names it.
        public bool IsNothing => Row is null && Tags is null or { Count: 0 } && NamedBy is null or { Count: 0 };
    }

    /// <summary>Its size in memory without facts, about, in bytes.</summary>
    public long Bytes { get; private set; } = 4_096;

    /// <summary>Takes the rows of a scan. Indexes have to have their children.</summary>
    /// <returns>The listed images by their keys, in order.</returns>
    public SortedDictionary<string, ListedRow<T>?> Apply(NamespaceRows rows) =>
        Apply(rows.Images.Select(i => KeyValuePair.Create(i.Key, Reduced(i.Value))), rows.Tags);

    /// <summary>Takes rows by their keys; image rows are reduced.</summary>
    /// <returns>The listed images by their keys, in order.</returns>
    public SortedDictionary<string, ListedRow<T>?> Apply(
        IEnumerable<KeyValuePair<string, (ImageRow Row, T? Facts)>> images,
        IEnumerable<KeyValuePair<string, TagRow>> tags
    )
    {
        foreach (var (key, (row, facts)) in images)
        {
            SetImage(key, row, facts, touched: null);
        }

        foreach (var (key, tag) in tags)
        {
            SetTag(key, tag, touched: null);
        }

        return Listed(_nodes.Keys);
    }

    /// <summary>All rows, which are never changed: image rows without facts, what is kept of the facts, and tag rows.</summary>
    public (IReadOnlyList<(ImageRow Row, T? Facts)> Images, IReadOnlyList<TagRow> Tags) Export() =>
        ([.. _nodes.Values.Where(n => n.Row is not null).Select(n => (n.Row!, n.Facts))], [.. _tags.Values]);

    /// <summary>The names that can be pulled, as they are now.</summary>
    public RegistryNames Names => _names.ToNames();

    /// <summary>How many rows there are.</summary>
    public int Count => _nodes.Count + _tags.Count;

    /// <summary>Applies rows that commits have written; null for removed ones. Indexes have to have their children.</summary>
    /// <returns>The images that may have changed by their keys, in order; null for those that are not listed.</returns>
    public SortedDictionary<string, ListedRow<T>?> Apply(
        IReadOnlyDictionary<string, ImageRow?> images,
        IReadOnlyDictionary<string, TagRow?> tags
    )
    {
        var touched = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (key, row) in images)
        {
            var (reduced, facts) = row is null ? (null, null) : Reduced(row);
            SetImage(key, reduced, facts, touched);
        }

        foreach (var (key, row) in tags)
        {
            SetTag(key, row, touched);
        }

        return Listed(touched);
    }

    /// <summary>A row without its facts, and what is kept of them.</summary>
    public (ImageRow Row, T? Facts) Reduced(ImageRow row)
    {
        // A row of an earlier version may have more facts than lists show. Facts in a blob are loaded again when they are written.
        row = row.Shown();
        var isKept = row is { State: ImageState.Complete, IsImage: true, FactsBlob: null };
        return (WithoutFacts(row), isKept ? keep(row) : null);
    }

    private ImageRow WithoutFacts(ImageRow row) =>
        row with
        {
            App = Shared(row.App),
            MediaType = Shared(row.MediaType),
            Facts = ImageFacts.None,
            Stored = null,
            Children = row.Children.Count == 0 ? [] : row.Children,
            BlobSizes = ImmutableDictionary<string, long>.Empty,
        };

    // Equal values of tag and image are kept once.
    private TagRow Shared(TagRow tag, ImageRow? image) =>
        tag with
        {
            App = Shared(tag.App),
            Digest = image?.Digest ?? tag.Digest,
            Generation = tag.Generation == image?.Generation ? image?.Generation : tag.Generation,
        };

    private string Shared(string text) => _shared.TryGetValue(text, out var same) ? same : _shared[text] = text;

    private void SetImage(string key, ImageRow? row, T? facts, HashSet<string>? touched)
    {
        var node = NodeOf(key);
        Touch(key, touched);
        foreach (var digest in node.Row?.Children ?? [])
        {
            var childKey = ChildKey(key, digest);
            NodeOf(childKey).NamedBy?.Remove(key);
            DropIfNothing(childKey);
        }

        Bytes += SizeOf(row) - SizeOf(node.Row);
        _names.SetImage(node.Row, row, node.Tags ?? []);
        (node.Row, node.Facts) = (row, facts);
        foreach (var digest in row?.Children ?? [])
        {
            (NodeOf(ChildKey(key, digest)).NamedBy ??= new HashSet<string>(StringComparer.Ordinal)).Add(key);
        }

        Touch(key, touched);
        DropIfNothing(key);
    }

    private void SetTag(string key, TagRow? row, HashSet<string>? touched)
    {
        if (_tags.Remove(key, out var before))
        {
            var image = Keys.Image(before.App, before.Digest);
            Touch(image, touched);
            NodeOf(image).Tags?.Remove(before);
            _names.SetTag(key, null, image: null);
            DropIfNothing(image);
            Bytes -= SizeOf(before);
        }

        if (row is not null)
        {
            var image = Keys.Image(row.App, row.Digest);
            var node = NodeOf(image);
            row = Shared(row, node.Row);
            _tags.Add(key, row);
            _names.SetTag(key, row, node.Row);
            // Most have one.
            (node.Tags ??= new List<TagRow>(1)).Add(row);
            Touch(image, touched);
            Bytes += SizeOf(row);
        }
    }

    // A change may affect the digest itself, what it names, and, through incomplete indexes, what those name.
    private void Touch(string key, HashSet<string>? touched)
    {
        if (touched is null)
        {
            return;
        }

        var open = new Stack<string>([key]);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (open.TryPop(out var next))
        {
            if (!seen.Add(next))
            {
                continue;
            }

            touched.Add(next);
            foreach (var child in _nodes.GetValueOrDefault(next)?.Row?.Children ?? [])
            {
                var childKey = ChildKey(next, child);
                touched.Add(childKey);
                if (_nodes.GetValueOrDefault(childKey) is { Misses: true })
                {
                    open.Push(childKey);
                }
            }
        }
    }

    private SortedDictionary<string, ListedRow<T>?> Listed(IEnumerable<string> touched)
    {
        var listed = new SortedDictionary<string, ListedRow<T>?>(StringComparer.Ordinal);
        foreach (var key in touched)
        {
            listed[key] = _nodes.TryGetValue(key, out var node) ? Listed(node) : null;
        }

        return listed;
    }

    private ListedRow<T>? Listed(Node node)
    {
        if (node.Row is not { State: ImageState.Complete, IsImage: true } row)
        {
            return null;
        }

        // A tag with another generation is of an image that was deleted and has landed again.
        TagRow[] tags = [.. (node.Tags ?? []).Where(t => t.Generation == row.Generation)];
        if (tags.Length == 0 && node.NamedBy?.Any(Counts) == true)
        {
            return null;
        }

        Array.Sort(tags, (a, b) => string.CompareOrdinal(a.Tag, b.Tag));
        return new ListedRow<T>(row, node.Facts, tags);
    }

    // Whether an index keeps what it names out of lists. An incomplete index does so while a tag waits for it, or an incomplete
    // index that counts itself. So what it names does not appear and disappear while it lands or is repaired, and an index that
    // nothing waits for hides nothing.
    private bool Counts(string index)
    {
        if (_nodes[index] is not { Misses: true })
        {
            return true;
        }

        var open = new Stack<string>([index]);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (open.TryPop(out var next))
        {
            if (_nodes[next] is not { Misses: true } node || !seen.Add(next))
            {
                continue;
            }

            if (node.Tags is { Count: > 0 })
            {
                return true;
            }

            foreach (var by in node.NamedBy ?? [])
            {
                open.Push(by);
            }
        }

        return false;
    }

    private Node NodeOf(string key)
    {
        if (!_nodes.TryGetValue(key, out var node))
        {
            _nodes.Add(key, node = new Node());
        }

        return node;
    }

    private void DropIfNothing(string key)
    {
        if (_nodes[key].IsNothing)
        {
            _nodes.Remove(key);
        }
    }

    private static string ChildKey(string indexKey, string child) =>
        string.Concat(indexKey.AsSpan(0, indexKey.LastIndexOf('!') + 1), child);

    // The memory of objects, keys and collection entries on 64 bits.
    private static long SizeOf(ImageRow? row) => row is null ? 0 : 700 + (row.Children.Count * 400L);

    private static long SizeOf(TagRow tag) => (tag.Pushed is null ? 360 : 420) + (4L * tag.Tag.Length);
}
