using ImagesFunctions.Accounts;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>
/// What decisions may not change because of the account's rules. The rules are a row that hardly ever changes, so that a decision need
/// not read it: a commit that changes it has every decision made again that rests on it. Who is refused is refused by the row as it is
/// now.
/// </summary>
internal static class TagRules
{
    /// <summary>The rules of an account.</summary>
    /// <param name="view">Its namespace.</param>
    /// <param name="isFresh">Whether they have to be read; else what was read before is enough.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<AccountRules> RulesAsync(
        this DecisionView view,
        bool isFresh,
        CancellationToken cancellationToken
    ) =>
        RulesRow
            .FromOrNull(
                await (
                    isFresh
                        ? view.GetAsync(Keys.Rules, cancellationToken)
                        : view.GetKeptAsync(Keys.Rules, cancellationToken)
                )
            )
            ?.Rules
        ?? AccountRules.None;

    /// <summary>Why a tag may not be made to point to an image, or be removed, as a sentence; null where it may.</summary>
    /// <param name="view">The namespace.</param>
    /// <param name="app">The app.</param>
    /// <param name="tag">The tag.</param>
    /// <param name="to">The image; null: it is removed.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<string?> DenialAsync(
        this DecisionView view,
        string app,
        string tag,
        Digest? to,
        CancellationToken cancellationToken
    )
    {
        ImmutableTags? by = null;
        foreach (var isFresh in (bool[])[false, true])
        {
            by = (await view.RulesAsync(isFresh, cancellationToken)).ImmutableBy(app, tag);
            // One that waits for its image is not there yet.
            if (
                by is null
                || await view.TaggedImageAsync(app, tag, cancellationToken) is not { } image
                || image.Digest == to
            )
            {
                return null;
            }
        }

        return $"The tag {tag} of {app} may not be changed ({by}).";
    }

    /// <summary>Refuses to move one of these tags, or to remove it.</summary>
    /// <exception cref="AccessDeniedException">A rule keeps it as it is.</exception>
    public static async Task DemandChangeableAsync(
        this DecisionView view,
        string app,
        IReadOnlyList<string> tags,
        Digest? to,
        CancellationToken cancellationToken
    )
    {
        if (tags.Count == 0)
        {
            return;
        }

        var rules = await view.RulesAsync(isFresh: false, cancellationToken);
        // At the same time: below, each is waited for.
        await view.GetAllAsync(
            tags.Where(tag => rules.ImmutableBy(app, tag) is not null).Select(tag => Keys.Tag(app, tag)),
            cancellationToken
        );
        foreach (var tag in tags)
        {
            if (await view.DenialAsync(app, tag, to, cancellationToken) is { } denial)
            {
                throw new AccessDeniedException(denial);
            }
        }
    }

    /// <summary>Refuses to remove an image that such a tag points to.</summary>
    /// <exception cref="AccessDeniedException">A rule keeps one of its tags as it is.</exception>
    public static async Task DemandRemovableAsync(
        this DecisionView view,
        ImageRow image,
        CancellationToken cancellationToken
    )
    {
        if (!(await view.RulesAsync(isFresh: false, cancellationToken)).HasImmutable(image.App))
        {
            return;
        }

        var tags = (await view.RangeAsync(Keys.OfApp('t', image.App), cancellationToken))
            .Select(TagRow.From)
            .Where(t => t.Digest == image.Digest && t.Generation == image.Generation)
            .Select(t => t.Tag)
            .ToList();
        await view.DemandChangeableAsync(image.App, tags, to: null, cancellationToken);
    }
}
