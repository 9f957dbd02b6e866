using System.Runtime.CompilerServices;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Images;

/// <summary>An image as lists show it.</summary>
/// <param name="Namespace">The namespace.</param>
/// <param name="Repository">The repository as the API writes it: official ones without a slash.</param>
/// <param name="Tags">Its tags in ordinal order, without the repository.</param>
/// <param name="Row">All else.</param>
internal sealed record ListEntry(string Namespace, string Repository, IReadOnlyList<string> Tags, ImageRow Row);

/// <summary>Lists of images: what a caller may see, and of that what was asked for.</summary>
internal sealed class ImageLists(Catalog catalog, ImageRows imageRows)
{
    /// <summary>The images that an account sees and that a filter asks for, sorted by repository and digest.</summary>
    public async Task<IReadOnlyList<ListEntry>> ListAsync(
        string account,
        ListFilter filter,
        CancellationToken cancellationToken
    )
    {
        // Decided before any read: for another account's namespace there is nothing to find and nothing to measure.
        string[] visible = account == Repository.Official ? [account] : [account, Repository.Official];
        var entries = new List<ListEntry>();
        foreach (var ns in visible)
        {
            if (TryScope(ns, filter, out var app))
            {
                var rows = await catalog.ReadAsync(ns, app, cancellationToken);
                await rows.LoadChildrenAsync(imageRows, ns, cancellationToken);
                entries.AddRange(
                    rows.Listed()
                        .Select(i => new ListEntry(
                            ns,
                            ns == Repository.Official ? i.Row.App : $"{ns}/{i.Row.App}",
                            i.Tags,
                            i.Row
                        ))
                        .Where(e => Matches(e, filter))
                );
            }
        }

        entries.Sort(
            (a, b) =>
            {
                var order = string.CompareOrdinal(a.Repository, b.Repository);
                return order != 0 ? order : string.CompareOrdinal(a.Row.Digest.ToString(), b.Row.Digest.ToString());
            }
        );
        return entries;
    }

    /// <summary>
    /// The same, each with its facts: those that are too long for a row are fetched one at a time, when their turn comes.
    /// </summary>
    public async IAsyncEnumerable<ListEntry> WithFactsAsync(
        IReadOnlyList<ListEntry> entries,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        foreach (var entry in entries)
        {
            yield return entry.Row.HasFacts
                ? entry
                : entry with
                {
                    Row = await imageRows.WithFactsAsync(entry.Namespace, entry.Row, cancellationToken),
                };
        }
    }

    // False when the filter asks for nothing of this namespace; else the one app that it asks for, or null for all.
    private static bool TryScope(string ns, ListFilter filter, out string? app)
    {
        app = null;
        foreach (
            var (wantedNamespace, wantedApp) in (ReadOnlySpan<(string?, string?)>)
                [
                    (filter.Namespace, filter.App),
                    (filter.Digest?.Repository.Namespace, filter.Digest?.Repository.App),
                    (filter.Tag?.Repository.Namespace, filter.Tag?.Repository.App),
                ]
        )
        {
            if ((wantedNamespace ?? ns) != ns || (app is not null && wantedApp is not null && app != wantedApp))
            {
                return false;
            }

            app ??= wantedApp;
        }

        return true;
    }

    private static bool Matches(ListEntry entry, ListFilter filter) =>
        (!filter.Tagged || entry.Tags.Count > 0)
        && (filter.Digest?.Digest is not { } digest || entry.Row.Digest == digest)
        && (filter.Tag?.Tag is not { } tag || entry.Tags.Contains(tag, StringComparer.Ordinal));
}
