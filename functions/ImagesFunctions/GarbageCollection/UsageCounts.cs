using ImagesFunctions.Listing;

namespace ImagesFunctions.GarbageCollection;

/// <summary>What a sweep counts in one namespace, by repository.</summary>
internal sealed class UsageCounts
{
    /// <summary>Of one repository.</summary>
    public sealed class Count
    {
        public long Bytes { get; set; }

        public long Blobs { get; set; }

        public long Images { get; set; }

        public long Tags { get; set; }
    }

    private readonly SortedDictionary<string, Count> _counts = new(StringComparer.Ordinal);

    /// <summary>What is counted of an app.</summary>
    public Count Of(string app)
    {
        if (!_counts.TryGetValue(app, out var count))
        {
            _counts.Add(app, count = new Count());
        }

        return count;
    }

    /// <summary>All repositories that have something.</summary>
    public IReadOnlyList<RepositoryUsage> Repositories =>
        [
            .. _counts
                .Select(c => new RepositoryUsage(c.Key, c.Value.Bytes, c.Value.Blobs, c.Value.Images, c.Value.Tags))
                .Where(r => r.Blobs + r.Images + r.Tags > 0),
        ];
}
