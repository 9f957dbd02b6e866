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

    private static IEnumerable<RepositorySummary> Make(string @namespace, NamespaceList list) =>
        list
            .Chunks.SelectMany(c => c.Images)
            .GroupBy(i => i.Row.App, StringComparer.Ordinal)
            .Select(app => new RepositorySummary(
                Repository.Of(@namespace, app.Key),
                app.MaxBy(i => i.Row.Committed ?? DateTimeOffset.MinValue)!,
                app.Count(),
                app.Sum(i => i.Tags.Count),
                [.. app.Select(i => i.Row.Pin).OfType<ImagePin>()]
            )
            {
                Names = list.Names,
            });
}
