using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>Tags that wait for their image.</summary>
internal static class WaitingTags
{
    // The image's row, the referrer's, and what the account takes.
    private const int OtherRows = 3;

    /// <summary>Decides to set tags that wait for a committed image, as many as fit a commit. The answer is whether there are more.</summary>
    public static async Task<Decision<bool>> FillAsync(
        DecisionView view,
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken
    )
    {
        if (await view.ImageAsync(repository.App, digest, cancellationToken) is not { } row)
        {
            return Decision.Nothing(false);
        }

        var dependents = await DependentsAsync(view, repository.App, digest, cancellationToken);
        var (tags, more) = await ChangesAsync(view, row, dependents, [], others: 0, cancellationToken);
        return Decision.Of(more, tags);
    }

    /// <summary>The dependents of a digest; among them the tags that wait for it.</summary>
    public static async Task<List<DependencyRow>> DependentsAsync(
        DecisionView view,
        string app,
        Digest digest,
        CancellationToken cancellationToken
    ) => [.. (await view.RangeAsync(Keys.Dependencies(app, digest), cancellationToken)).Select(DependencyRow.From)];

    /// <summary>The changes that set the tags that wait for an image, and remove their dependency rows.</summary>
    /// <param name="view">The namespace.</param>
    /// <param name="row">The image.</param>
    /// <param name="dependents">Who needs it.</param>
    /// <param name="set">Tags that the same commit sets.</param>
    /// <param name="others">How many rows the same commit writes besides these and the image's, the referrer's and what the account takes.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<(List<Change> Changes, bool More)> ChangesAsync(
        DecisionView view,
        ImageRow row,
        List<DependencyRow> dependents,
        IReadOnlyList<string> set,
        int others,
        CancellationToken cancellationToken
    )
    {
        var waiting = dependents.FindAll(d => d.By.WaitingTag is not null);
        // A tag takes two rows.
        var max = (Change.MaxRows - OtherRows - others) / 2;
        var changes = new List<Change>();
        foreach (var dependent in waiting.Take(max))
        {
            changes.Add(new Change(dependent.Key, null));
            if (set.Contains(dependent.By.WaitingTag!, StringComparer.Ordinal))
            {
                continue;
            }

            var entity = await view.GetAsync(Keys.Tag(row.App, dependent.By.WaitingTag!), cancellationToken);
            if (entity is not null && TagRow.From(entity) is { Generation: null } tag && tag.Digest == row.Digest)
            {
                changes.Add(new Change(tag.Key, (tag with { Generation = row.Generation }).ToRow()));
            }
        }

        return (changes, waiting.Count > max);
    }
}
