using ImagesFunctions.Accounts;
using ImagesFunctions.Journal;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Images;

/// <summary>The answer to a list: all of it, or one page.</summary>
/// <param name="Images">The images, sorted by repository and digest.</param>
/// <param name="Total">The number of matching images on all pages.</param>
/// <param name="Next">The last image where a next page exists; else null.</param>
/// <param name="Hash">A hash of the images and their order.</param>
internal sealed record ListPage(IEnumerable<ListPiece> Images, int Total, ListedImage? Next, UInt128 Hash);

/// <summary>Lists of images: those that the caller may see and that a request asks for.</summary>
internal sealed class ImageLists(NamespaceLists lists, RowStore rowStore)
{
    // A range of a namespace's list. Lists are sorted by display names, so the caller's own images are between the official ones
    // before `account/` and those after it.
    private sealed record Segment(string Namespace, NamespaceList List, KeyRange Range)
    {
        public bool IsEmpty => string.CompareOrdinal(Range.From, Range.To) >= 0;

        // The key after which the images of the segment follow `after`; null when all of them come before it.
        public string? KeyAfter(Reference? after)
        {
            if (after is null)
            {
                return "";
            }

            var (repository, prefix) = (after.Repository.DisplayName, Namespace + "/");
            if (Namespace == Repository.Official)
            {
                return Keys.Image(repository, after.Digest!);
            }

            return repository.StartsWith(prefix, StringComparison.Ordinal)
                    ? Keys.Image(repository[prefix.Length..], after.Digest!)
                : string.CompareOrdinal(repository, prefix) < 0 ? ""
                : null;
        }
    }

    /// <summary>The images that an account sees and that a request asks for.</summary>
    /// <exception cref="StorageUnavailableException">The lists cannot be read now.</exception>
    public async Task<ListPage> ListAsync(
        Access access,
        ListRequest request,
        SequenceReads sequences,
        CancellationToken cancellationToken
    )
    {
        var filter = request.Filter;
        var segments = await SegmentsAsync(access, [filter], sequences, cancellationToken);
        IEnumerable<ListPiece> After(Reference? after) =>
            segments.SelectMany(p => p.KeyAfter(after) is { } key ? p.List.PiecesIn(p.Range, key, filter.Tagged) : []);
        if (filter.IsForOne)
        {
            return PageOfOne(segments, request);
        }

        var all = segments.Aggregate(
            default(ListSum),
            (sum, segment) => sum + segment.List.Sum(segment.Range, filter.Tagged)
        );
        if (request is { Limit: null, After: null })
        {
            return new ListPage(After(null), all.Count, null, all.Hash);
        }

        var page = After(request.After)
            .SelectMany(p => p.Images)
            .Take((request.Limit ?? int.MaxValue - 1) + 1)
            .ToList();
        var hasMore = page.Count > request.Limit;
        if (hasMore)
        {
            page.RemoveAt(page.Count - 1);
        }

        var hash = ListSum.Of(page).Hash;
        return new ListPage(page.Select(i => new ListPiece(i)), all.Count, hasMore ? page[^1] : null, hash);
    }

    private static ListPage PageOfOne(IReadOnlyList<Segment> segments, ListRequest request)
    {
        var image = Find(segments, request.Filter);
        var isAfter =
            image is not null
            && segments.Any(s =>
                s.Namespace == image.Namespace
                && s.KeyAfter(request.After) is { } key
                && string.CompareOrdinal(image.Key, key) > 0
            );
        return new ListPage(
            isAfter ? [new ListPiece(image!)] : [],
            image is null ? 0 : 1,
            null,
            isAfter ? image!.Hash : 0
        );
    }

    /// <summary>The image that each filter asks for, in their order; null where none is seen.</summary>
    /// <exception cref="StorageUnavailableException">The lists cannot be read now.</exception>
    public Task<IReadOnlyList<ListedImage?>> FindAsync(
        Access access,
        IReadOnlyList<ListFilter> filters,
        CancellationToken cancellationToken
    ) => FindAsync(access, filters, new SequenceReads(rowStore, cancellationToken), cancellationToken);

    /// <summary>As the other overload, with prefetched sequence numbers.</summary>
    /// <exception cref="StorageUnavailableException">The lists cannot be read now.</exception>
    public async Task<IReadOnlyList<ListedImage?>> FindAsync(
        Access access,
        IReadOnlyList<ListFilter> filters,
        SequenceReads sequences,
        CancellationToken cancellationToken
    )
    {
        var segments = await SegmentsAsync(access, filters, sequences, cancellationToken);
        // Tags are kept at their images: one pass over the apps, however many filters there are.
        var byTag = filters
            .Where(f => f is { Digest: null, Tag: not null })
            .Select(f => f.Tag!)
            .Distinct()
            .ToDictionary(t => t, _ => (ListedImage?)null);
        foreach (var wanted in byTag.Keys.ToLookup(t => t.Repository))
        {
            var tags = wanted.ToDictionary(t => t.Tag!, StringComparer.Ordinal);
            var images = segments
                .Where(p => p.Namespace == wanted.Key.Namespace)
                .SelectMany(p => p.List.In(Keys.OfApp('i', wanted.Key.App), "", tagged: true));
            foreach (var image in images)
            {
                // Either of the two may be very many.
                var found =
                    image.Tags.Count > tags.Count ? tags.Keys.Where(image.HasTag) : image.Tags.Where(tags.ContainsKey);
                foreach (var tag in found)
                {
                    byTag[tags[tag]] = image;
                }
            }
        }

        return
        [
            .. filters.Select(f =>
                f.Digest is not null ? Find(segments, f)
                : byTag[f.Tag!] is { } image && f.TryScope(image.Namespace, out _) ? image
                : null
            ),
        ];
    }

    /// <summary>The images of this digest that an account sees: its own before official ones, then by repository.</summary>
    /// <exception cref="StorageUnavailableException">The lists cannot be read now.</exception>
    public async Task<IReadOnlyList<ListedImage>> FindAsync(
        Access access,
        Digest digest,
        CancellationToken cancellationToken
    )
    {
        var found = new List<ListedImage>();
        foreach (var ns in access.Namespaces)
        {
            // An app that has the image has the blob of its manifest. Those that the caller may not see make no read more.
            var apps = (await rowStore.AppsWithAsync(ns, digest, cancellationToken))
                .Where(app => access.MayRead(ns, app))
                .ToList();
            if (apps.Count > 0)
            {
                var list = await lists.CurrentAsync(ns, apps.Count == 1 ? apps[0] : null, cancellationToken);
                found.AddRange(apps.Select(app => list.Find(Keys.Image(app, digest))).OfType<ListedImage>());
            }
        }

        return found;
    }

    /// <summary>The images with tags that an account sees and that one of the filters asks for, by namespace or app.</summary>
    /// <exception cref="StorageUnavailableException">The lists cannot be read now.</exception>
    public async Task<IReadOnlyList<ListedImage>> TaggedAsync(
        Access access,
        IReadOnlyList<ListFilter> filters,
        SequenceReads sequences,
        CancellationToken cancellationToken
    )
    {
        var segments = await SegmentsAsync(access, filters, sequences, cancellationToken);
        bool IsAskedFor(ListedImage image) =>
            filters.Any(f => f.TryScope(image.Namespace, out var app) && (app ?? image.Row.App) == image.Row.App);
        return [.. segments.SelectMany(p => p.List.In(p.Range, "", tagged: true)).Where(IsAskedFor)];
    }

    /// <summary>Starts to read the sequence numbers that a list of this account needs.</summary>
    /// <param name="account">The account.</param>
    /// <param name="ownOnly">Only that of its own namespace: most filters exclude official images.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public SequenceReads Ahead(string account, bool ownOnly, CancellationToken cancellationToken)
    {
        var sequences = new SequenceReads(rowStore, cancellationToken);
        foreach (var ns in Access.NamespacesOf(account).Take(ownOnly ? 1 : 2))
        {
            _ = sequences.OfAsync(ns);
        }

        return sequences;
    }

    private async Task<IReadOnlyList<Segment>> SegmentsAsync(
        Access access,
        IReadOnlyList<ListFilter> filters,
        SequenceReads sequences,
        CancellationToken cancellationToken
    )
    {
        var reads = new List<(string Namespace, string? App, Task<NamespaceList> List)>();
        // Decided before any read: of what the caller may not see nothing is read, so that there is no time to measure.
        foreach (var ns in access.Namespaces)
        {
            var apps = filters
                .SelectMany(f =>
                    f.TryScope(ns, out var app) && (app is null || access.MayRead(ns, app))
                        ? [app]
                        : Array.Empty<string?>()
                )
                .Distinct(StringComparer.Ordinal)
                .Take(2)
                .ToList();
            if (apps.Count > 0)
            {
                var app = apps.Count == 1 ? apps[0] : null;
                reads.Add((ns, app, lists.CurrentAsync(ns, app, sequences, cancellationToken)));
            }
        }

        await Task.WhenAll(reads.Select(r => r.List));
        var own = "i!" + Keys.Encode(access.Account + "/");
        var segments = new List<Segment>();
        foreach (var (ns, app, read) in reads)
        {
            var range = app is null ? Keys.All('i') : Keys.OfApp('i', app);
            var list = access.MayReadAll(ns) ? await read : (await read).Only(range, a => access.MayRead(ns, a));
            var isAround = !access.Owns(ns);
            segments.Insert(0, new Segment(ns, list, isAround ? range with { To = Min(range.To, own) } : range));
            if (isAround)
            {
                segments.Add(new Segment(ns, list, range with { From = Max(range.From, own) }));
            }
        }

        segments.RemoveAll(p => p.IsEmpty);
        return segments;
    }

    private static ListedImage? Find(IReadOnlyList<Segment> segments, ListFilter filter)
    {
        foreach (var segment in segments)
        {
            if (!filter.TryScope(segment.Namespace, out var app) || app is null)
            {
                continue;
            }

            var image = filter.Digest is { } digest
                ? segment.List.Find(Keys.Image(app, digest.Digest!))
                : segment
                    .List.In(Keys.OfApp('i', app), "", tagged: true)
                    .FirstOrDefault(i => i.HasTag(filter.Tag!.Tag!));
            if (
                image is not null
                && (!filter.Tagged || image.Tags.Count > 0)
                && (filter.Tag?.Tag is not { } tag || image.HasTag(tag))
            )
            {
                return image;
            }
        }

        return null;
    }

    private static string Min(string a, string b) => string.CompareOrdinal(a, b) < 0 ? a : b;

    private static string Max(string a, string b) => string.CompareOrdinal(a, b) > 0 ? a : b;
}
