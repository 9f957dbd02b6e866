using System.Runtime.CompilerServices;
using ImagesFunctions.Accounts;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Listing;

/// <summary>What is listed of a repository.</summary>
/// <param name="Repository">The repository.</param>
/// <param name="Newest">The image that was committed last.</param>
/// <param name="Images">How many images there are.</param>
/// <param name="Tags">How many tags they have together.</param>
/// <param name="Pins">The pins of its images, over or not.</param>
internal sealed record RepositorySummary(
    Repository Repository,
    ListedImage Newest,
    int Images,
    int Tags,
    IReadOnlyList<ImagePin> Pins
)
{
    /// <summary>Its name in the Images API.</summary>
    public string Name { get; } = Repository.DisplayName;

    /// <summary>The names of its namespace, as they were at the same moment.</summary>
    public required RegistryNames Names { get; init; }

    /// <summary>
    /// Whether its newest image is signed, once somebody has looked; null until then. It holds as long as this summary: a signature that comes or
    /// goes is a commit, after which there is another list.
    /// </summary>
    public Task<bool>? Signed { get; set; }
}

/// <summary>Summaries of the repositories that a caller may read, never older than the request.</summary>
internal sealed class RepositorySummaries(NamespaceLists lists, RowStore rowStore)
{
    // A list is immutable: its summaries are made once, and go with it.
    private readonly ConditionalWeakTable<NamespaceList, IReadOnlyList<RepositorySummary>> _made = new();

    /// <summary>All of them, in the order of their names in the Images API.</summary>
    /// <exception cref="Journal.StorageUnavailableException">The lists cannot be read now.</exception>
    public async Task<IReadOnlyList<RepositorySummary>> ReadAsync(Access access, CancellationToken cancellationToken)
    {
        var sequences = new SequenceReads(rowStore, cancellationToken);
        // Decided by names: of what the caller may not see nothing is read.
        var read = await Task.WhenAll(
            access
                .Namespaces.Where(ns =>
                    access.Owns(ns) ? access.Grants.Any(g => g.Includes(Rights.Pull)) : access.MayReadAll(ns)
                )
                .Select(async ns =>
                    (Namespace: ns, List: await lists.CurrentAsync(ns, null, sequences, cancellationToken))
                )
        );
        var summaries = read.Select(r => Of(r.Namespace, r.List)).ToList();
        var all = summaries.Count == 2 ? Merged(summaries[0], summaries[1]) : summaries.SelectMany(s => s);
        return [.. all.Where(s => access.MayRead(s.Repository))];
    }

    // Keys, and so each of the two, are in the order of names already.
    private static IEnumerable<RepositorySummary> Merged(
        IReadOnlyList<RepositorySummary> one,
        IReadOnlyList<RepositorySummary> other
    )
    {
        for (var (i, j) = (0, 0); i < one.Count || j < other.Count; )
        {
            yield return j == other.Count || (i < one.Count && string.CompareOrdinal(one[i].Name, other[j].Name) < 0)
                ? one[i++]
                : other[j++];
        }
    }

    private IReadOnlyList<RepositorySummary> Of(string @namespace, NamespaceList list) =>
        _made.GetValue(list, l => [.. Make(@namespace, l)]);

    // One pass: images of an app stand together, because their keys begin with it.
    private static IEnumerable<RepositorySummary> Make(string @namespace, NamespaceList list)
    {
        ListedImage? newest = null;
        var (images, tags, pins) = (0, 0, new List<ImagePin>());
        foreach (var image in list.Chunks.SelectMany(c => c.Images))
        {
            if (newest is not null && newest.Row.App != image.Row.App)
            {
                yield return Summary(newest);
                (newest, images, tags, pins) = (null, 0, 0, []);
            }

            newest =
                newest is null || image.Row.Committed > (newest.Row.Committed ?? DateTimeOffset.MinValue)
                    ? image
                    : newest;
            (images, tags) = (images + 1, tags + image.Tags.Count);
            if (image.Row.Pin is { } pin)
            {
                pins.Add(pin);
            }
        }

        if (newest is not null)
        {
            yield return Summary(newest);
        }

        RepositorySummary Summary(ListedImage newestOfApp) =>
            new(Repository.Of(@namespace, newestOfApp.Row.App), newestOfApp, images, tags, pins) { Names = list.Names };
    }
}
