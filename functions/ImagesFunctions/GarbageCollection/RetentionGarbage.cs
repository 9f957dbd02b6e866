using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>
/// Decides which images go because of the rules of their account: see <see cref="Garbage"/>. The rules are read in the decision, and so
/// is all that keeps an image, so that no commit that came before it is missed: not a tag, not an index, not other rules.
/// </summary>
internal sealed class RetentionGarbage(GarbageCommit commit, BlobGarbage blobs, Content content, SweepAge age)
{
    /// <summary>The most images to decide about at once: each takes three rows.</summary>
    public const int MaxImages = 20;

    // A commit takes no more, its entry in the log included.
    private const int MaxCharacters = 200_000;

    // A signature of a signature of an attestation. What is deeper stays.
    private const int MaxDepth = 8;

    /// <summary>What a trial assumes of a repository: other rules than those that are set, and that some images are gone.</summary>
    /// <param name="Rules">The rules; null: those that are set.</param>
    /// <param name="Gone">The images.</param>
    public sealed record Assumed(AccountRules? Rules, IReadOnlySet<Digest> Gone)
    {
        /// <summary>Nothing: rows say what is.</summary>
        public static Assumed Nothing { get; } = new(null, new HashSet<Digest>());
    }

    /// <summary>Removes those of these images that the rules let go.</summary>
    /// <returns>Which these were; null: others kept changing what was read.</returns>
    public Task<IReadOnlyList<RetiredImage>?> RemoveAsync(
        Repository repository,
        IReadOnlyList<Digest> suspects,
        Assumed assumed,
        CancellationToken cancellationToken
    ) =>
        commit.RunAsync<IReadOnlyList<RetiredImage>>(
            repository.Namespace,
            async (view, stop) =>
            {
                var found = await FindAsync(view, repository, suspects, assumed, stop);
                return ([.. found.Select(f => f.Image)], [.. found.SelectMany(f => f.Changes)]);
            },
            cancellationToken
        );

    /// <summary>Makes sure that storage lets the bytes of an image go: marked, it could not even be pushed again before.</summary>
    /// <exception cref="Storage.StorageHeldException">It does not.</exception>
    public Task DemandRemovableAsync(Repository repository, Digest digest, CancellationToken cancellationToken) =>
        content.DemandRemovableAsync(new BlobPath(repository, digest), cancellationToken);

    /// <summary>Removes the bytes of an image that a commit has removed. Does nothing where nothing may be changed.</summary>
    /// <exception cref="Storage.StorageHeldException">Storage keeps them: a later sweep tries again.</exception>
    public Task FinishAsync(RetiredImage image, CancellationToken cancellationToken) =>
        blobs.FinishAsync(new BlobPath(image.Repository, image.Digest), changed: 1, cancellationToken);

    /// <summary>Decides what <see cref="RemoveAsync"/> changes.</summary>
    internal async Task<List<(RetiredImage Image, List<Change> Changes)>> FindAsync(
        DecisionView view,
        Repository repository,
        IReadOnlyList<Digest> suspects,
        Assumed assumed,
        CancellationToken cancellationToken
    )
    {
        var found = new List<(RetiredImage, List<Change>)>();
        var app = repository.App;
        var rules = await RetentionRules.ReadAsync(assumed.Rules, () => view.GetAsync(Keys.Rules, cancellationToken));
        if (rules.Rules.RetentionOf(app) is not { } retention)
        {
            return found;
        }

        // At the same time: below, each is waited for.
        var reading = Task.WhenAll(
            view.GetAllAsync(
                suspects.SelectMany(d => new[] { Keys.Image(app, d), Keys.Blob(app, d) }),
                cancellationToken
            ),
            view.GetAllAsync(
                suspects.Where(_ => retention.NotPulled is not null).Select(d => Keys.Pulled(app, d)),
                cancellationToken
            ),
            Task.WhenAll(suspects.Select(d => view.RangeAsync(Keys.Dependencies(app, d), cancellationToken))),
            Task.WhenAll(suspects.Select(d => view.RangeAsync(Keys.Referrers(app, d), cancellationToken)))
        );
        var tags = new RepositoryTags(await view.RangeAsync(Keys.OfApp('t', app), cancellationToken));
        await reading;
        var newest = await NewestAsync(view, app, tags, retention.Newest, cancellationToken);
        var of = new Question(view, app, rules, retention, tags, assumed.Gone);
        var characters = 0;
        foreach (var digest in suspects.Where(d => !assumed.Gone.Contains(d) && !newest.Contains(d)))
        {
            if (await OfAsync(of, repository, digest, cancellationToken) is { } gone)
            {
                characters += gone.Changes.Sum(c => c.Length);
                if (found.Count > 0 && characters > MaxCharacters)
                {
                    break;
                }

                found.Add(gone);
            }
        }

        return found;
    }

    // What all questions about one repository have in common.
    private sealed record Question(
        DecisionView View,
        string App,
        RetentionRules Rules,
        RepositoryRetention Retention,
        RepositoryTags Tags,
        IReadOnlySet<Digest> Gone
    );

    private async Task<(RetiredImage Image, List<Change> Changes)?> OfAsync(
        Question of,
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken
    )
    {
        var (view, app) = (of.View, of.App);
        if (
            await view.ImageAsync(app, digest, cancellationToken) is not { State: ImageState.Complete } image
            || await view.GetAsync(Keys.Blob(app, digest), cancellationToken) is not { } stored
            || BlobRow.From(stored) is not { State: BlobState.Good } blob
        )
        {
            return null;
        }

        var tags = of.Tags.Of(digest, image.Generation);
        if (
            of.Retention.Limits(tags.Count > 0) is not { Count: > 0 } limits
            || tags.Any(t => of.Retention.Keeps(t.Tag) || of.Rules.Rules.ImmutableBy(app, t.Tag) is not null)
            || blobs.IsPinned(image)
            || (tags.Count == 0 && await HasSubjectAsync(of, image, cancellationToken))
            || await blobs.IsNeededAsync(view, blob, layoutCounts: true, cancellationToken, of.Gone)
            || !await IsOldAsync(
                of,
                digest,
                limits,
                Last([.. tags.Select(t => t.At), image.Committed, stored.Timestamp]),
                cancellationToken
            )
        )
        {
            return null;
        }

        return (
            new RetiredImage(
                repository,
                digest,
                [.. tags.Select(t => t.Tag)],
                blob.Size,
                MediaTypes.IsIndex(image.MediaType)
            ),
            await Removal.ImageChangesAsync(view, image, new MarkedBlob(blob).Change, cancellationToken)
        );
    }

    // One limit is enough, where what refers to the image is as old by it.
    private async Task<bool> IsOldAsync(
        Question of,
        Digest digest,
        IReadOnlyList<AgeLimit> limits,
        DateTimeOffset? pushed,
        CancellationToken cancellationToken
    )
    {
        foreach (var limit in limits)
        {
            if (
                await IsOldAsync(of, digest, limit, pushed, cancellationToken)
                && !await IsKeptByReferrerAsync(of, digest, limit, depth: 1, cancellationToken)
            )
            {
                return true;
            }
        }

        return false;
    }

    private async Task<bool> IsOldAsync(
        Question of,
        Digest digest,
        AgeLimit limit,
        DateTimeOffset? pushed,
        CancellationToken cancellationToken
    )
    {
        var pulled = limit.CountsPulls
            ? PulledRow.FromOrNull(await of.View.GetAsync(Keys.Pulled(of.App, digest), cancellationToken))
            : null;
        return of.Rules.IsOld(age, limit, pushed, pulled);
    }

    // A signature without a tag stays as long as what it signs.
    private static async Task<bool> HasSubjectAsync(Question of, ImageRow image, CancellationToken cancellationToken) =>
        image.Subject is { } subject
        && !of.Gone.Contains(subject)
        && await of.View.ImageAsync(of.App, subject, cancellationToken) is not null;

    // What refers to it keeps it where that would stay without it.
    private async Task<bool> IsKeptByReferrerAsync(
        Question of,
        Digest digest,
        AgeLimit limit,
        int depth,
        CancellationToken cancellationToken
    )
    {
        var (view, app) = (of.View, of.App);
        foreach (var row in await view.RangeAsync(Keys.Referrers(app, digest), cancellationToken))
        {
            var referrer = ReferrerRow.From(row).Digest;
            if (of.Gone.Contains(referrer) || await view.ImageAsync(app, referrer, cancellationToken) is not { } image)
            {
                continue;
            }

            var stored = await view.GetAsync(Keys.Blob(app, referrer), cancellationToken);
            if (
                depth == MaxDepth
                || of.Tags.Of(referrer, image.Generation).Count > 0
                || blobs.IsPinned(image)
                || stored is null
                || !await IsOldAsync(of, referrer, limit, Last([image.Committed, stored.Timestamp]), cancellationToken)
                || await blobs.IsNeededAsync(view, BlobRow.From(stored), layoutCounts: true, cancellationToken, of.Gone)
                || await IsKeptByReferrerAsync(of, referrer, limit, depth + 1, cancellationToken)
            )
            {
                return true;
            }
        }

        return false;
    }

    private static async Task<HashSet<Digest>> NewestAsync(
        DecisionView view,
        string app,
        RepositoryTags tags,
        int count,
        CancellationToken cancellationToken
    )
    {
        var newest = new HashSet<Digest>();
        foreach (var batch in tags.ByPush.Chunk(BatchedReads.MaxAtOnce))
        {
            if (newest.Count >= count)
            {
                break;
            }

            await view.GetAllAsync(batch.Select(t => Keys.Image(app, t.Digest)), cancellationToken);
            foreach (var tagged in batch)
            {
                if (
                    newest.Count < count
                    && await view.ImageAsync(app, tagged.Digest, cancellationToken)
                        is { State: ImageState.Complete } image
                    && image.Generation == tagged.Generation
                )
                {
                    newest.Add(tagged.Digest);
                }
            }
        }

        return newest;
    }

    private static DateTimeOffset? Last(DateTimeOffset?[] times) => times.Max();
}
