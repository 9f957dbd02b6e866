using ImagesFunctions.Accounts;
using ImagesFunctions.Journal;
using ImagesFunctions.Policy;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Listing;

/// <summary>What became of something in a commit.</summary>
internal enum ActivityKind
{
    /// <summary>A manifest came.</summary>
    Stored,

    /// <summary>The row of a manifest was written again, such as by a pin.</summary>
    Changed,

    /// <summary>An image is out of lists until what it needs is good again.</summary>
    Hidden,

    /// <summary>An index waits for what it names.</summary>
    Waiting,

    /// <summary>A manifest was removed.</summary>
    Removed,

    /// <summary>A tag was set.</summary>
    Tagged,

    /// <summary>A tag waits for its image.</summary>
    TagWaiting,

    /// <summary>A tag was removed.</summary>
    Untagged,

    /// <summary>An <c>index.json</c> was applied.</summary>
    LayoutApplied,
}

/// <summary>A change of one thing by a commit.</summary>
/// <param name="At">When it was committed, by the table's clock.</param>
/// <param name="App">The app.</param>
/// <param name="Kind">What happened.</param>
/// <param name="Name">The digest of a manifest, or the tag; "" where it is neither.</param>
/// <param name="Digest">The digest that a tag was set to; else "".</param>
internal sealed record ActivityItem(DateTimeOffset? At, string App, ActivityKind Kind, string Name, string Digest)
{
    /// <summary>Who did it; null where nobody is known, as of drops and of what the service does itself.</summary>
    public Author? By { get; init; }
}

/// <summary>The last commits of a namespace, from the log, which goes back for an hour at least.</summary>
internal sealed class RecentCommits(RowStore rowStore)
{
    private const int MaxCommits = 1_024;
    private const int AtOnce = 64;

    // A commit writes the time into the row a moment before the table does.
    private static readonly TimeSpan s_moment = TimeSpan.FromMinutes(1);

    /// <summary>The last changes of the repositories of its own account that a caller may read, the newest first.</summary>
    /// <param name="access">What the caller may see.</param>
    /// <param name="max">How many.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    public async Task<IReadOnlyList<ActivityItem>> ReadAsync(
        Access access,
        int max,
        CancellationToken cancellationToken
    )
    {
        var items = new List<ActivityItem>();
        var last = (await rowStore.VersionAsync(access.Account, cancellationToken)).Seq;
        var end = Math.Max(0, last - MaxCommits);
        while (last > end && items.Count < max)
        {
            var first = Math.Max(end + 1, last - AtOnce + 1);
            var entries = await rowStore.EntriesAsync(access.Account, first, last, cancellationToken);
            items.AddRange(entries.Reverse().SelectMany(Of).Where(item => access.MayRead(access.Account, item.App)));
            if (entries.Count <= last - first)
            {
                // The log begins there.
                break;
            }

            last = first - 1;
        }

        return [.. items.Take(max)];
    }

    private static IEnumerable<ActivityItem> Of(JournalEntry entry) =>
        (entry.Rows ?? new Dictionary<string, TableRow?>(StringComparer.Ordinal))
            .OrderBy(r => r.Key, StringComparer.Ordinal)
            .Select(r =>
                Of(entry.At, r.Key, r.Value) is { } item ? item with { By = Author.Parse(entry.AuthorOf(r.Key)) } : null
            )
            .OfType<ActivityItem>();

    private static ActivityItem? Of(DateTimeOffset? at, string key, TableRow? row)
    {
        if (key.Split('!') is not [var kind, var encoded, .. var rest])
        {
            return null;
        }

        var (app, name) = (Keys.Decode(encoded), rest is [var one] ? one : "");
        if (row is null)
        {
            return kind == "i" ? new ActivityItem(at, app, ActivityKind.Removed, name, "")
                : kind == "t" ? new ActivityItem(at, app, ActivityKind.Untagged, name, "")
                : null;
        }

        return kind switch
        {
            "i" => OfImage(at, ImageRow.From(row)),
            "t" when TagRow.From(row) is var tag => new ActivityItem(
                at,
                app,
                tag.Generation is null ? ActivityKind.TagWaiting : ActivityKind.Tagged,
                tag.Tag,
                tag.Digest.ToString()
            ),
            "j" => new ActivityItem(at, app, ActivityKind.LayoutApplied, "", ""),
            _ => null,
        };
    }

    private static ActivityItem OfImage(DateTimeOffset? at, ImageRow image) =>
        new(
            at,
            image.App,
            image.State switch
            {
                ImageState.Hidden => ActivityKind.Hidden,
                ImageState.Waiting => ActivityKind.Waiting,
                ImageState.Deleted => ActivityKind.Removed,
                _ when image.Pin is null && at - image.Committed < s_moment => ActivityKind.Stored,
                _ => ActivityKind.Changed,
            },
            image.Digest.ToString(),
            ""
        );
}
