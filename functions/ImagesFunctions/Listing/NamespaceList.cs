using System.Collections.Immutable;
using System.Diagnostics;
using System.Runtime.InteropServices;
using ImagesFunctions.Journal;

namespace ImagesFunctions.Listing;

/// <summary>
/// The listed images of a namespace, or of one app of it, after a commit. Immutable. The images are in chunks, and the next version
/// shares the chunks without a change.
/// </summary>
/// <param name="Seq">The number of the last commit that it includes.</param>
/// <param name="Chunks">The images in the order of their keys; no chunk is empty.</param>
internal sealed record NamespaceList(long Seq, ImmutableArray<ListChunk> Chunks)
{
    public static NamespaceList Empty { get; } = new(0, []);

    /// <summary>The version of that commit, which tells it from another one of the same number; null where it is not known.</summary>
    public VersionTag? Tag { get; init; }

    /// <summary>The commit.</summary>
    public JournalVersion Version => new(Seq, Tag);

    /// <summary>Whether it includes the commits up to a version.</summary>
    public bool IsAtLeast(JournalVersion version) =>
        Seq > version.Seq || (Seq == version.Seq && version.MayLeadTo(Version));

    /// <summary>When it was made: a timestamp of <see cref="Stopwatch"/>.</summary>
    public long MadeAt { get; } = Stopwatch.GetTimestamp();

    /// <summary>The names that can be pulled, also those of what is no image.</summary>
    public RegistryNames Names { get; init; } = RegistryNames.Empty;

    /// <summary>How many images there are.</summary>
    public int Count => Chunks.Sum(c => c.Images.Length);

    /// <summary>The size of the images in memory, about, in bytes.</summary>
    public long Bytes => Chunks.Sum(c => c.Bytes);

    /// <summary>The images of a range of keys, in order.</summary>
    /// <param name="range">The range.</param>
    /// <param name="after">Only images after this key; "" for all.</param>
    /// <param name="tagged">Only images with a tag.</param>
    public IEnumerable<ListedImage> In(KeyRange range, string after, bool tagged) =>
        PiecesIn(range, after, tagged).SelectMany(p => p.Images);

    /// <summary>As <see cref="In"/>, but a chunk that belongs to the result as a whole is one piece.</summary>
    public IEnumerable<ListPiece> PiecesIn(KeyRange range, string after, bool tagged)
    {
        var from = string.CompareOrdinal(range.From, after) > 0 ? range.From : after;
        for (var c = FirstChunk(from); c < Chunks.Length; c++)
        {
            var chunk = Chunks[c];
            if (string.CompareOrdinal(chunk.First, range.To) >= 0)
            {
                yield break;
            }

            if (
                range.Contains(chunk.First)
                && range.Contains(chunk.Last)
                && string.CompareOrdinal(chunk.First, after) > 0
                && (!tagged || chunk.Tagged == chunk.All)
            )
            {
                yield return new ListPiece(chunk, null);
                continue;
            }

            foreach (var image in chunk.Images)
            {
                if (
                    range.Contains(image.Key)
                    && string.CompareOrdinal(image.Key, after) > 0
                    && (!tagged || image.Tags.Count > 0)
                )
                {
                    yield return new ListPiece(image);
                }
            }
        }
    }

    /// <summary>The number of images of a range, and the sum of their hashes, which stands for the set of images.</summary>
    public ListSum Sum(KeyRange range, bool tagged)
    {
        var sum = default(ListSum);
        for (var c = FirstChunk(range.From); c < Chunks.Length; c++)
        {
            var chunk = Chunks[c];
            if (string.CompareOrdinal(chunk.First, range.To) >= 0)
            {
                break;
            }

            if (range.Contains(chunk.First) && range.Contains(chunk.Last))
            {
                sum += tagged ? chunk.Tagged : chunk.All;
                continue;
            }

            foreach (var image in chunk.Images.Where(i => range.Contains(i.Key) && (!tagged || i.Tags.Count > 0)))
            {
                sum += new ListSum(1, image.Hash);
            }
        }

        return sum;
    }

    /// <summary>The image of this key, or null.</summary>
    public ListedImage? Find(string key)
    {
        var chunk = FirstChunk(key);
        if (chunk == Chunks.Length)
        {
            return null;
        }

        // The chunk does not end before the key, so it has an image at or after the key.
        var images = Chunks[chunk].Images;
        var image = images[FirstFrom(images, i => i.Key, key)];
        return image.Key == key ? image : null;
    }

    /// <summary>The list after more commits.</summary>
    /// <param name="seq">The number of the last of them.</param>
    /// <param name="changes">The images that they changed by their keys, in order; null for an image that is no longer listed.</param>
    public NamespaceList With(long seq, IReadOnlyCollection<KeyValuePair<string, ListedImage?>> changes)
    {
        if (changes.Count == 0)
        {
            return new NamespaceList(seq, Chunks);
        }

        var chunks = ImmutableArray.CreateBuilder<ListChunk>(Chunks.Length + 1);
        using var change = changes.GetEnumerator();
        var more = change.MoveNext();
        for (var c = 0; c < Chunks.Length; c++)
        {
            // A key between two chunks belongs to the first of them.
            var end = c + 1 < Chunks.Length ? Chunks[c + 1].First : null;
            var here = new List<KeyValuePair<string, ListedImage?>>();
            while (more && (end is null || string.CompareOrdinal(change.Current.Key, end) < 0))
            {
                here.Add(change.Current);
                more = change.MoveNext();
            }

            if (here.Count == 0)
            {
                chunks.Add(Chunks[c]);
            }
            else
            {
                chunks.AddRange(ListChunk.Of(Merge(Chunks[c].Images, here)));
            }
        }

        if (Chunks.IsEmpty)
        {
            chunks.AddRange(ListChunk.Of(Merge([], changes)));
        }

        var next = new NamespaceList(seq, chunks.ToImmutable());
        // Deletions make chunks short.
        return next.Chunks.Length <= 8 + (8 * next.Count / ListChunk.MaxImages)
            ? next
            : new NamespaceList(seq, [.. ListChunk.Of(next.Chunks.SelectMany(c => c.Images))]);
    }

    private static IEnumerable<ListedImage> Merge(
        ImmutableArray<ListedImage> images,
        IEnumerable<KeyValuePair<string, ListedImage?>> changes
    )
    {
        var at = 0;
        foreach (var (key, image) in changes)
        {
            for (; at < images.Length && string.CompareOrdinal(images[at].Key, key) < 0; at++)
            {
                yield return images[at];
            }

            if (at < images.Length && images[at].Key == key)
            {
                at++;
            }

            if (image is not null)
            {
                yield return image;
            }
        }

        for (; at < images.Length; at++)
        {
            yield return images[at];
        }
    }

    // The first chunk that does not end before this key.
    private int FirstChunk(string key) => FirstFrom(Chunks, c => c.Last, key);

    // The index of the first item whose key is this or a later one.
    private static int FirstFrom<T>(ImmutableArray<T> items, Func<T, string> keyOf, string key)
    {
        var (low, high) = (0, items.Length);
        while (low < high)
        {
            var middle = (low + high) / 2;
            (low, high) = string.CompareOrdinal(keyOf(items[middle]), key) < 0 ? (middle + 1, high) : (low, middle);
        }

        return low;
    }
}

/// <summary>A piece of a list: a whole chunk, or one image.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ListPiece(ListChunk? Chunk, ListedImage? Image)
{
    public ListPiece(ListedImage image)
        : this(null, image) { }

    /// <summary>The images, in order; at least one.</summary>
    public ImmutableArray<ListedImage> Images => Chunk?.Images ?? [Image!];
}

/// <summary>A number of images and the sum of their hashes.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct ListSum(int Count, UInt128 Hash)
{
    /// <summary>The sum of these images.</summary>
    public static ListSum Of(IEnumerable<ListedImage> images) =>
        images.Aggregate(default(ListSum), (sum, image) => sum + new ListSum(1, image.Hash));

    public static ListSum operator +(ListSum a, ListSum b) => new(a.Count + b.Count, unchecked(a.Hash + b.Hash));
}

/// <summary>Some hundred neighbouring images of a list.</summary>
internal sealed class ListChunk
{
    // A change copies one chunk and the array of chunks; at 100,000 images both have about the same length.
    internal const int MaxImages = 512;

    private byte[]? _v1;

    private ListChunk(ImmutableArray<ListedImage> images)
    {
        Images = images;
        foreach (var image in images)
        {
            var sum = new ListSum(1, image.Hash);
            All += sum;
            Tagged += image.Tags.Count > 0 ? sum : default;
            // The texts are here a second time once all are listed.
            Bytes += image.Bytes + image.V1Length;
        }
    }

    public ImmutableArray<ListedImage> Images { get; }

    public string First => Images[0].Key;

    public string Last => Images[^1].Key;

    public ListSum All { get; }

    public ListSum Tagged { get; }

    public long Bytes { get; }

    /// <summary>
    /// The text that lists of the first generation write of all images, with commas between them; null when some are not whole. Made
    /// at its first use, and kept.
    /// </summary>
    public byte[]? V1Text()
    {
        if (_v1 is null && Images.All(i => i.IsWhole))
        {
            // Two threads make the same text.
            _v1 = ListedImage.V1TextOf(Images);
        }

        return _v1;
    }

    /// <summary>Cuts images, in the order of their keys, into chunks of about the same length, so that each can grow.</summary>
    public static IEnumerable<ListChunk> Of(IEnumerable<ListedImage> images)
    {
        var all = images.ToList();
        var chunks = (all.Count + MaxImages - 1) / MaxImages;
        for (var c = 0; c < chunks; c++)
        {
            var (from, to) = (all.Count * (long)c / chunks, all.Count * (long)(c + 1) / chunks);
            yield return new ListChunk([.. all.Skip((int)from).Take((int)(to - from))]);
        }
    }
}
