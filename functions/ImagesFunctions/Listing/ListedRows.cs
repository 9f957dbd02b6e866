using System.Collections.Immutable;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Listing;

/// <summary>
/// Says which images of a namespace, or of one app of it, lists show: complete ones, and of those that an index of the same
/// repository names, complete, awaited or deleted, only the ones with a tag of their own (docs/storage.md). It follows
/// commits one after the other and looks only at what each one touches. Not for use by several threads at once.
/// </summary>
/// <param name="keep">What is kept of an image's facts, which the row itself loses.</param>
internal sealed class ListedRows<T>(Func<ImageRow, T> keep)
    where T : class
{
    // Apps and media types, each of which stands in many rows.
    private readonly Dictionary<string, string> _shared = new(StringComparer.Ordinal);

    private readonly Dictionary<string, Node> _nodes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TagRow> _tags = new(StringComparer.Ordinal);

    // All that is known of one digest of one app: its row, the tags that name it, the indexes that name it.
    private sealed class Node
    {
        public ImageRow? Row { get; set; }

        public T? Facts { get; set; }

        // Most have few tags and no index: what is empty takes no memory.
        public List<TagRow>? Tags { get; set; }

        public HashSet<string>? NamedBy { get; set; }

        public bool Misses => Row?.State is ImageState.Waiting or ImageState.Hidden;

        // Names nothing and is named by nothing.
        public bool IsNothing => Row is null && Tags is null or { Count: 0 } && NamedBy is null or { Count: 0 };
    }

    /// <summary>About how many bytes this takes, without what is kept of facts.</summary>
    public long Bytes { get; private set; } = 4_096;

    /// <summary>Takes the rows of a scan, and says what lists show. Indexes have to have their children.</summary>
    /// <returns>The images by their keys, in order.</returns>
    public SortedDictionary<string, ListedRow<T>?> Apply(NamespaceRows rows) =>
        Apply(rows.Images.Select(i => KeyValuePair.Create(i.Key, Reduced(i.Value))), rows.Tags);

    /// <summary>Takes rows by their keys, those of images reduced to what is kept of them, and says what lists show.</summary>
    /// <returns>The images by their keys, in order.</returns>
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

    /// <summary>All rows, those of images without facts, and what was kept of facts. They are never changed.</summary>
    public (IReadOnlyList<(ImageRow Row, T? Facts)> Images, IReadOnlyList<TagRow> Tags) Export() =>
        ([.. _nodes.Values.Where(n => n.Row is not null).Select(n => (n.Row!, n.Facts))], [.. _tags.Values]);

    /// <summary>How many rows there are.</summary>
    public int Count => _nodes.Count + _tags.Count;

    /// <summary>Applies the rows that commits have written, null for removed ones. Indexes have to have their children.</summary>
    /// <returns>What may have changed by its key, in order; null for what lists do not show, or no more.</returns>
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
        // A row of an earlier version may have more of them.
        row = row.Shown();
        return (WithoutFacts(row), FactsOf(row));
    }

    // What stands in a blob is fetched again when it is asked for.
    private T? FactsOf(ImageRow? row) =>
        row is { State: ImageState.Complete, IsImage: true, FactsBlob: null } ? keep(row) : null;

    private ImageRow WithoutFacts(ImageRow row) =>
        row with
        {
            App = Shared(row.App),
            MediaType = Shared(row.MediaType),
            Facts = ImageFacts.None,
            Children = row.Children.Count == 0 ? [] : row.Children,
            Parts = ImmutableDictionary<string, long>.Empty,
        };

    // What is the same in both is kept once.
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
        node.Facts = facts;
        node.Row = row;
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
            DropIfNothing(image);
            Bytes -= SizeOf(before);
        }

        if (row is not null)
        {
            var image = Keys.Image(row.App, row.Digest);
            var node = NodeOf(image);
            row = Shared(row, node.Row);
            _tags.Add(key, row);
            // Most have one.
            (node.Tags ??= new List<TagRow>(1)).Add(row);
            Touch(image, touched);
            Bytes += SizeOf(row);
        }
    }

    // What may be listed or not after a change here: itself, what it names, and through indexes that miss something, what
    // those name.
    private void Touch(string key, HashSet<string>? touched)
    {
        if (touched is null)
        {
            return;
        }

        var open = new Stack<string>([key]);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (open.TryPop(out var one))
        {
            if (!seen.Add(one))
            {
                continue;
            }

            touched.Add(one);
            foreach (var child in _nodes.GetValueOrDefault(one)?.Row?.Children ?? [])
            {
                var childKey = ChildKey(one, child);
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

        // A tag of an image that was deleted, and landed again, has the old generation.
        string[] tags = [.. (node.Tags ?? []).Where(t => t.Generation == row.Generation).Select(t => t.Tag)];
        if (tags.Length == 0 && node.NamedBy?.Any(Counts) == true)
        {
            return null;
        }

        Array.Sort(tags, StringComparer.Ordinal);
        return new ListedRow<T>(row, node.Facts, tags);
    }

    // Whether what this index names stays out of lists. One that misses something counts as long as somebody waits for it:
    // a tag, or such an index that counts itself. So what it names does not come and go while it lands or heals, and what
    // nobody awaits keeps nothing back.
    private bool Counts(string index)
    {
        if (_nodes[index] is not { Misses: true })
        {
            return true;
        }

        var open = new Stack<string>([index]);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (open.TryPop(out var one))
        {
            if (_nodes[one] is not { Misses: true } node || !seen.Add(one))
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

    // What objects, keys and their places in collections take on 64 bits.
    private static long SizeOf(ImageRow? row) => row is null ? 0 : 700 + (row.Children.Count * 400L);

    private static long SizeOf(TagRow tag) => 300 + (4L * tag.Tag.Length);
}
