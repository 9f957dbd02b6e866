using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>Tags that wait for their image.</summary>
internal static class WaitingTags
{
    // The image's row and the referrer's.
    private const int OtherRows = 2;

    /// <summary>Fills in tags that wait for a committed image, as many as fit a commit. True: there are more.</summary>
    public static async Task<Decision<bool>> FillAsync(
        DecisionView view,
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken
    )
    {
        if (ImageRow.Live(await view.GetAsync(Keys.Image(repository.App, digest), cancellationToken)) is not { } row)
        {
            return Decision.Nothing(false);
        }

        var namedBy = await NeedsAsync(view, repository.App, digest, cancellationToken);
        var (tags, more) = await ChangesAsync(view, row, namedBy, [], others: 0, cancellationToken);
        return Decision.Of(more, tags);
    }

    /// <summary>Who needs a digest, and so the tags that wait for it.</summary>
    public static async Task<List<DependencyRow>> NeedsAsync(
        DecisionView view,
        string app,
        Digest digest,
        CancellationToken cancellationToken
    ) => [.. (await view.RangeAsync(Keys.Needs(app, digest), cancellationToken)).Select(DependencyRow.From)];

    /// <summary>The tags that waited for this image, and the removal of the rows that said so; those that are set anyway wait no more.</summary>
    /// <param name="view">The namespace.</param>
    /// <param name="row">The image.</param>
    /// <param name="needs">Who needs it.</param>
    /// <param name="set">Tags that the same commit sets.</param>
    /// <param name="others">How many rows the same commit writes besides the image's, the referrer's and these.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<(List<Change> Changes, bool More)> ChangesAsync(
        DecisionView view,
        ImageRow row,
        List<DependencyRow> needs,
        IReadOnlyList<string> set,
        int others,
        CancellationToken cancellationToken
    )
    {
        var waiting = needs.FindAll(n => n.By.WaitingTag is not null);
        // A tag takes two rows.
        var most = (Change.MaxRows - OtherRows - others) / 2;
        var changes = new List<Change>();
        foreach (var need in waiting.Take(most))
        {
            changes.Add(new Change(need.Key, null));
            if (set.Contains(need.By.WaitingTag!, StringComparer.Ordinal))
            {
                continue;
            }

            var entity = await view.GetAsync(Keys.Tag(row.App, need.By.WaitingTag!), cancellationToken);
            if (entity is not null && TagRow.From(entity) is { Generation: null } tag && tag.Digest == row.Digest)
            {
                changes.Add(new Change(tag.Key, (tag with { Generation = row.Generation }).ToRow()));
            }
        }

        return (changes, waiting.Count > most);
    }
}
