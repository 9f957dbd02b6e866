using System.Runtime.ExceptionServices;
using System.Security.Cryptography;
using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>
/// Commits manifests: an image's row appears, together with the tags that waited for it, in one transaction, at a moment
/// when everything that it needs is there. The rows that say what it needs are written first, and whoever brings one of
/// those things looks them up afterwards: so one of the two always sees the other.
/// </summary>
/// <remarks>
/// One try, from its beginning: the manifest's blob is verified (row <c>b</c>) and somebody names it (row <c>n</c>); it is
/// read and parsed; what it needs is written down (rows <c>n</c>); then the decision looks whether all of that is there
/// (rows <c>b</c> and <c>i</c>), makes the image's row and fills in the tags that waited for it, all in one transaction.
/// If something is missing, nothing happens: whoever brings it looks at the rows <c>n</c> and tries again.
/// </remarks>
internal sealed class ManifestCommit(Catalog catalog, Content content, ImageRows imageRows, Refusals refusals)
{
    // With the image and the referrer row they fill a transaction: a tag takes two rows.
    private const int MostTagsACommit = 48;
    private const int LongestInlineFacts = 60_000;
    private const int ReadsAtOnce = 16;
    private const int TriesAtOnce = 8;
    private const int MostAnnounced = 200;
    private const int MostForgotten = 5;

    private enum State
    {
        // Nobody says that it is a manifest, or its blob is not there.
        Unknown,

        // Something that it needs is missing.
        Waiting,

        // It is no valid manifest.
        Refused,

        // It was committed before.
        Already,

        // It was committed now.
        Committed,

        // The rows that say what it needs were swept, because its own blob had been gone.
        Forgotten,
    }

    private sealed record Outcome(State State, bool MoreTags = false)
    {
        // Whether what it needs was not known before.
        public bool IsNew { get; init; }

        // What an index that waits names.
        public IReadOnlyList<Digest> Children { get; init; } = [];
    }

    /// <summary>
    /// Tries to commit manifests of a repository, and whatever is complete by that. Does nothing for what is committed
    /// already or still waits.
    /// </summary>
    /// <param name="repository">The repository.</param>
    /// <param name="about">
    /// The manifests that are new or newly named: what an index among them names is tried as well, and what that names.
    /// </param>
    /// <param name="needers">
    /// Manifests that may be complete now. What they name is not tried: the rows <c>n</c> lead from each of those to them, and
    /// to look the other way each time would take time in the square of an index's length.
    /// </param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The digests that are said to be manifests and are none; each refusal is recorded.</returns>
    public async Task<IReadOnlySet<Digest>> SettleAsync(
        Repository repository,
        IEnumerable<Digest> about,
        IEnumerable<Digest> needers,
        CancellationToken cancellationToken
    )
    {
        var refused = new HashSet<Digest>();
        var expand = about.ToHashSet();
        var expanded = new HashSet<Digest>(expand);
        var lookedUp = new HashSet<Digest>();
        // Distinct digests in their order: an index comes behind its children, once, however many of them are committed.
        var queue = new OrderedDictionary<Digest, bool>();
        Enqueue(expand.Concat(needers));
        ExceptionDispatchInfo? failure = null;
        while (queue.Count > 0)
        {
            var some = queue.Keys.Take(TriesAtOnce).ToArray();
            Array.ForEach(some, digest => queue.Remove(digest));
            foreach (
                var (digest, outcome, error) in await Task.WhenAll(
                    some.Select(digest => GuardedTryAsync(repository, digest, cancellationToken))
                )
            )
            {
                failure ??= error;
                if (outcome.State == State.Refused)
                {
                    refused.Add(digest);
                }

                if (expand.Remove(digest) || outcome.IsNew)
                {
                    // All the way down: whoever wrote down what an inner index needs may have been killed right after that.
                    expand.UnionWith(outcome.Children.Where(expanded.Add));
                    Enqueue(outcome.Children);
                }

                // Also when it was committed before: whoever did may have been killed before looking further.
                if (outcome.State == State.Committed || (outcome.State == State.Already && lookedUp.Add(digest)))
                {
                    var needs = await catalog.NeedsAsync(repository, digest, cancellationToken);
                    Enqueue(needs.Select(n => n.By.Digest).OfType<Digest>());
                }
            }
        }

        failure?.Throw();
        return refused;

        void Enqueue(IEnumerable<Digest> digests)
        {
            foreach (var digest in digests)
            {
                queue.TryAdd(digest, true);
            }
        }
    }

    /// <summary>What a manifest needs, and the repository does not have at this moment.</summary>
    public async Task<IReadOnlyList<Digest>> MissingAsync(
        Repository repository,
        Manifest manifest,
        CancellationToken cancellationToken
    )
    {
        var missing = new List<Digest>();
        foreach (var some in manifest.NeededBlobs.Select(d => d.Digest).Chunk(ReadsAtOnce))
        {
            var rows = await Task.WhenAll(some.Select(d => catalog.BlobAsync(repository, d, cancellationToken)));
            missing.AddRange(some.Zip(rows).Where(d => d.Second is not { State: BlobState.Good }).Select(d => d.First));
        }

        foreach (var some in manifest.NeededManifests.Select(d => d.Digest).Chunk(ReadsAtOnce))
        {
            var rows = await Task.WhenAll(some.Select(d => catalog.ImageAsync(repository, d, cancellationToken)));
            missing.AddRange(
                some.Zip(rows).Where(d => d.Second is not { State: ImageState.Complete }).Select(d => d.First)
            );
        }

        return missing;
    }

    /// <summary>
    /// Commits a manifest whose blob is verified and which a client has called one, together with its tags: all of it, or
    /// nothing. Then whatever is complete by that.
    /// </summary>
    /// <param name="repository">The repository.</param>
    /// <param name="digest">The manifest's digest.</param>
    /// <param name="manifest">What its bytes say.</param>
    /// <param name="tags">Distinct tags to point to it, at most 90.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>False when something that it needs, or the manifest itself, is not there any more; nothing is committed.</returns>
    /// <exception cref="InvalidContentException">Its config is no image config.</exception>
    public async Task<bool> PushAsync(
        Repository repository,
        Digest digest,
        Manifest manifest,
        IReadOnlyList<string> tags,
        CancellationToken cancellationToken
    )
    {
        if (
            await catalog.BlobAsync(repository, digest, cancellationToken) is not { State: BlobState.Good } blob
            || !await content.IsStillAsync(LayoutPath.Of(repository, digest), blob.BlobETag, cancellationToken)
        )
        {
            return false;
        }

        // Written anew also where they are: who removes those that nobody needs any more compares their ETags.
        var needs = NeedsOf(repository, digest, manifest);
        await catalog.PutNeedsAsync(repository.Namespace, needs, cancellationToken);
        var outcome = await catalog.CommitAsync(
            repository.Namespace,
            (view, stop) => DecideAsync(view, repository, blob, manifest, needs, tags, stop),
            cancellationToken
        );
        if (outcome.State is not (State.Committed or State.Already))
        {
            return false;
        }

        await SettleAsync(repository, [digest], [], cancellationToken);
        return true;
    }

    // One that fails does not keep the others, which share a blob with it, from being tried.
    private async Task<(Digest Digest, Outcome Outcome, ExceptionDispatchInfo? Error)> GuardedTryAsync(
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return (digest, await TryAsync(repository, digest, cancellationToken), null);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            return (digest, new Outcome(State.Unknown), ExceptionDispatchInfo.Capture(error));
        }
    }

    private async Task<Outcome> TryAsync(Repository repository, Digest digest, CancellationToken cancellationToken)
    {
        var blob = await catalog.BlobAsync(repository, digest, cancellationToken);
        if (blob is not { State: BlobState.Good })
        {
            return new Outcome(State.Unknown);
        }

        var outcome = new Outcome(State.Already, MoreTags: true);
        var committed = await catalog.ImageAsync(repository, digest, cancellationToken);
        if (committed is not { State: ImageState.Complete })
        {
            outcome = await TryAsync(repository, blob, committed?.MediaType, cancellationToken);
        }

        while (outcome.State is State.Already or State.Committed && outcome.MoreTags)
        {
            var more = await catalog.CommitAsync(
                repository.Namespace,
                (view, stop) => FillTagsAsync(view, repository, digest, stop),
                cancellationToken
            );
            outcome = outcome with { MoreTags = more };
        }

        return outcome;
    }

    private async Task<Outcome> TryAsync(
        Repository repository,
        BlobRow blob,
        string? committedType,
        CancellationToken cancellationToken
    )
    {
        var path = LayoutPath.Of(repository, blob.Digest);
        Manifest manifest;
        try
        {
            List<string?> types = committedType is not null
                ? [committedType]
                :
                [
                    .. (await catalog.NeedsAsync(repository, blob.Digest, cancellationToken))
                        .Where(n => n.ManifestType is not null)
                        .Select(n => n.ManifestType)
                        .Distinct(StringComparer.Ordinal),
                ];
            if (types.Count == 0)
            {
                return new Outcome(State.Unknown);
            }

            if (await content.ReadAsync(path, blob.BlobETag, cancellationToken) is not { } bytes)
            {
                // Overwritten or deleted; that has an event of its own.
                return new Outcome(State.Unknown);
            }

            manifest = ParseAsOneOf(bytes, types);
            var (outcome, isNew) = await WriteNeedsAndDecideAsync(repository, blob, manifest, cancellationToken);
            if (outcome.State == State.Committed)
            {
                // It may have been refused before, under a media type that was not its own.
                await refusals.ClearAsync(path, cancellationToken);
            }

            return outcome with
            {
                IsNew = isNew,
                Children = outcome.State == State.Waiting ? [.. manifest.NeededManifests.Select(m => m.Digest)] : [],
            };
        }
        catch (InvalidContentException error)
        {
            await refusals.RefuseAsync(
                RefusalKind.Manifest,
                path,
                $"not a usable manifest: {error.Message}",
                null,
                cancellationToken
            );
            return new Outcome(State.Refused);
        }
    }

    // Those who name a manifest may disagree about its type; it is enough that one of them is right.
    private static Manifest ParseAsOneOf(byte[] bytes, List<string?> types)
    {
        for (var i = 0; ; i++)
        {
            try
            {
                return Manifest.Parse(bytes, types[i]);
            }
            catch (InvalidContentException) when (i + 1 < types.Count) { }
        }
    }

    private async Task<(Outcome Outcome, bool IsNew)> WriteNeedsAndDecideAsync(
        Repository repository,
        BlobRow blob,
        Manifest manifest,
        CancellationToken cancellationToken
    )
    {
        var needs = NeedsOf(repository, blob.Digest, manifest);
        var isNew = false;
        for (var attempt = 1; attempt <= MostForgotten; attempt++)
        {
            isNew |= await WriteNeedsAsync(repository, blob.Digest, manifest, needs, cancellationToken);
            var outcome = await catalog.CommitAsync(
                repository.Namespace,
                (view, stop) => DecideAsync(view, repository, blob, manifest, needs, [], stop),
                cancellationToken
            );
            if (outcome.State != State.Forgotten)
            {
                return (outcome, isNew);
            }
        }

        throw new StorageUnavailableException($"what {blob.Digest} needs was swept each time it was written down");
    }

    // By falling keys. They are written in this order, so the last one tells that all are there; the sweeper, which does
    // not know how many there are, removes them by rising keys, and so begins with the last.
    private static List<NeedRow> NeedsOf(Repository repository, Digest digest, Manifest manifest)
    {
        var by = Needer.Manifest(digest);
        return
        [
            .. manifest
                .NeededBlobs.Select(d => new NeedRow(repository.App, d.Digest, by, null))
                .Concat(manifest.NeededManifests.Select(d => new NeedRow(repository.App, d.Digest, by, d.MediaType)))
                .OrderByDescending(n => n.Key, StringComparer.Ordinal),
        ];
    }

    // True when they were not there before.
    private async Task<bool> WriteNeedsAsync(
        Repository repository,
        Digest digest,
        Manifest manifest,
        List<NeedRow> needs,
        CancellationToken cancellationToken
    )
    {
        if (manifest.IsIndex)
        {
            await catalog.CommitAsync(
                repository.Namespace,
                (view, stop) => AnnounceAsync(view, repository, digest, manifest, stop),
                cancellationToken
            );
        }

        if (
            needs.Count == 0
            || await catalog.GetAsync(repository.Namespace, needs[^1].Key, cancellationToken) is not null
        )
        {
            return false;
        }

        await catalog.PutNeedsAsync(repository.Namespace, needs, cancellationToken);
        return true;
    }

    private async Task<Decision<Outcome>> DecideAsync(
        DecisionView view,
        Repository repository,
        BlobRow self,
        Manifest manifest,
        List<NeedRow> needs,
        IReadOnlyList<string> tags,
        CancellationToken cancellationToken
    )
    {
        var app = repository.App;
        var current = ImageRow.Live(await view.GetAsync(Keys.Image(app, self.Digest), cancellationToken));
        if (current is { State: ImageState.Complete })
        {
            return Decision.Of(
                new Outcome(State.Already, MoreTags: true),
                [.. tags.Select(tag => Pushed(view, current, tag))]
            );
        }

        var isNeedThere = needs.Count == 0 || await view.GetAsync(needs[^1].Key, cancellationToken) is not null;
        var own = await view.GetAsync(Keys.Blob(app, self.Digest), cancellationToken);
        var ownBlob = own is null ? null : BlobRow.From(own);
        if (ownBlob is not { State: BlobState.Good } || ownBlob.BlobETag != self.BlobETag)
        {
            return Decision.Nothing(new Outcome(State.Unknown));
        }

        if (!isNeedThere)
        {
            return Decision.Nothing(new Outcome(State.Forgotten));
        }

        if (await NeededAsync(view, app, manifest, cancellationToken) is not var (blobs, children))
        {
            return Decision.Nothing(new Outcome(State.Waiting));
        }

        var row = manifest.IsIndex
            ? await imageRows.OfIndexAsync(repository, self.Digest, manifest, children, cancellationToken)
            : await imageRows.OfImageAsync(repository, self.Digest, manifest, blobs, cancellationToken);
        if (row is null)
        {
            return Decision.Nothing(new Outcome(State.Waiting));
        }

        var namedBy = await NeedsAsync(view, app, self.Digest, cancellationToken);
        row = await WithRoomAsync(
            view,
            row with
            {
                Generation = current?.Generation ?? RandomNumberGenerator.GetHexString(16, lowercase: true),
                Subject = manifest.Subject?.Digest,
            },
            cancellationToken
        );
        var (waiting, more) = await TagsAsync(view, row, namedBy, tags, cancellationToken);
        Announce(view, app, needs);
        return Decision.Of(
            new Outcome(State.Committed, more),
            [
                new Change(row.Key, row.ToRow()),
                .. Referrer(view, self, manifest, row),
                .. waiting,
                .. tags.Select(tag => Pushed(view, row, tag)),
            ]
        );
    }

    private static Change Pushed(DecisionView view, ImageRow image, string tag)
    {
        var row = new TagRow(image.App, tag, image.Digest, image.Generation, FromLayout: false);
        return new Change(row.Key, row.ToRow());
    }

    // Whoever decides meanwhile that nobody needs one of them has not seen this image, and decides again.
    private static void Announce(DecisionView view, string app, List<NeedRow> needs)
    {
        var keys = needs.Select(n => Keys.AnyNeed(app, n.Needed)).Distinct(StringComparer.Ordinal).ToList();
        (keys.Count <= MostAnnounced ? keys : [Keys.AnyNeed(app)]).ForEach(view.Announce);
    }

    // Says what an index names before any of that can be committed because of it.
    private async Task<Decision<bool>> AnnounceAsync(
        DecisionView view,
        Repository repository,
        Digest digest,
        Manifest index,
        CancellationToken cancellationToken
    )
    {
        if (await view.GetAsync(Keys.Image(repository.App, digest), cancellationToken) is not null)
        {
            return Decision.Nothing(false);
        }

        var row = await imageRows.OfIndexAsync(repository, digest, index, [], cancellationToken);
        row = await WithRoomAsync(view, row with { State = ImageState.Waiting }, cancellationToken);
        return Decision.Of(true, [new Change(row.Key, row.ToRow())]);
    }

    // Puts aside what is too long for the row.
    private async Task<ImageRow> WithRoomAsync(DecisionView view, ImageRow row, CancellationToken cancellationToken) =>
        LongFacts.Write(row).Length > LongestInlineFacts
            ? row with
            {
                FactsBlob = await content.WriteFactsAsync(view.Partition, row, cancellationToken),
            }
            : row;

    private static IEnumerable<Change> Referrer(DecisionView view, BlobRow self, Manifest manifest, ImageRow row)
    {
        if (row.Subject is { } subject)
        {
            var referrer = new ReferrerRow(
                row.App,
                subject,
                row.Digest,
                row.MediaType,
                self.Size,
                manifest.ReferrerType,
                manifest.Annotations
            );
            yield return new Change(referrer.Key, referrer.ToRow());
        }
    }

    // Everything that the manifest needs, or null when something of it is missing.
    private static async Task<(List<BlobRow> Blobs, List<ImageRow> Children)?> NeededAsync(
        DecisionView view,
        string app,
        Manifest manifest,
        CancellationToken cancellationToken
    )
    {
        var blobKeys = manifest.NeededBlobs.Select(d => Keys.Blob(app, d.Digest));
        var childKeys = manifest.NeededManifests.Select(d => Keys.Image(app, d.Digest));
        return
            await ReadAllAsync(view, blobKeys, BlobRow.From, cancellationToken) is { } blobs
            && blobs.TrueForAll(b => b.State == BlobState.Good)
            && await ReadAllAsync(view, childKeys, ImageRow.From, cancellationToken) is { } children
            && children.TrueForAll(c => c.State == ImageState.Complete)
            ? (blobs, children)
            : null;
    }

    private static async Task<Decision<bool>> FillTagsAsync(
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
        var (tags, more) = await TagsAsync(view, row, namedBy, [], cancellationToken);
        return Decision.Of(more, tags);
    }

    private static async Task<List<NeedRow>> NeedsAsync(
        DecisionView view,
        string app,
        Digest digest,
        CancellationToken cancellationToken
    ) => [.. (await view.RangeAsync(Keys.Needs(app, digest), cancellationToken)).Select(NeedRow.From)];

    // The tags that waited for this image, and the removal of the rows that said so; those that are set anyway wait no more.
    private static async Task<(List<Change> Changes, bool More)> TagsAsync(
        DecisionView view,
        ImageRow row,
        List<NeedRow> needs,
        IReadOnlyList<string> set,
        CancellationToken cancellationToken
    )
    {
        var waiting = needs.FindAll(n => n.By.WaitingTag is not null);
        var most = MostTagsACommit - ((set.Count + 1) / 2);
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

    // All rows, or null as soon as one is missing.
    private static async Task<List<T>?> ReadAllAsync<T>(
        DecisionView view,
        IEnumerable<string> keys,
        Func<TableRow, T> from,
        CancellationToken cancellationToken
    )
    {
        var rows = new List<T>();
        // In any order: while the parts of a long manifest land one by one, a missing one is soon met.
        foreach (var some in keys.Shuffle().Chunk(ReadsAtOnce))
        {
            foreach (var row in await Task.WhenAll(some.Select(key => view.GetAsync(key, cancellationToken))))
            {
                if (row is null)
                {
                    return null;
                }

                rows.Add(from(row));
            }
        }

        return rows;
    }
}
