using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>The decisions about manifests. They read rows and return changes, and have no other effect.</summary>
internal static class ManifestDecision
{
    private const int MaxWrittenKeys = 200;

    /// <summary>Decides whether a manifest is committed, with its tags and the tags that waited for it.</summary>
    /// <param name="view">The namespace.</param>
    /// <param name="self">The row of the manifest's own blob.</param>
    /// <param name="prepared">The image's row.</param>
    /// <param name="dependencies">The rows that say what it needs.</param>
    /// <param name="tags">Distinct tags to set.</param>
    /// <param name="condition">The condition of the push; null: none.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<Decision<ManifestOutcome>> DecideAsync(
        DecisionView view,
        BlobRow self,
        PreparedImage prepared,
        List<DependencyRow> dependencies,
        IReadOnlyList<string> tags,
        TagCondition? condition,
        CancellationToken cancellationToken
    )
    {
        if (condition is not null && !await condition.HoldsAsync(view, self.App, self.Digest, cancellationToken))
        {
            return Nothing(ManifestState.Unmatched);
        }

        var current = await view.ImageAsync(self.App, self.Digest, cancellationToken);
        if (current is { State: ImageState.Complete })
        {
            return Decision.Of(
                new ManifestOutcome(ManifestState.Already, MoreTags: true),
                [.. tags.Select(tag => Pushed(current, tag))]
            );
        }

        if (await ObstacleAsync(view, self, dependencies, cancellationToken) is { } obstacle)
        {
            return Nothing(obstacle);
        }

        if (await NeededAsync(view, self.App, prepared.Manifest, cancellationToken) is not var (blobs, children))
        {
            return Nothing(ManifestState.Waiting);
        }

        if (!prepared.IsTried)
        {
            return Decision.After<ManifestOutcome>(stop => prepared.MakeAsync(blobs, children, stop));
        }

        return RowOf(prepared, current) is { } row
            ? await CommitAsync(view, self, prepared.Manifest, row, dependencies, tags, cancellationToken)
            : Nothing(ManifestState.Waiting);
    }

    /// <summary>Decides to write the row of a waiting index, which says what it names, before that can be committed because of it.</summary>
    /// <param name="view">The namespace.</param>
    /// <param name="key">The key of the index.</param>
    /// <param name="prepared">Its row while it waits.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<Decision<bool>> AddWaitingIndexAsync(
        DecisionView view,
        string key,
        PreparedImage prepared,
        CancellationToken cancellationToken
    )
    {
        if (await view.GetAsync(key, cancellationToken) is not null)
        {
            return Decision.Nothing(false);
        }

        return prepared.Row is { } row
            ? Decision.Of(true, [new Change(row.Key, row.ToRow())])
            : Decision.After<bool>(stop => prepared.MakeAsync([], [], stop));
    }

    private static Decision<ManifestOutcome> Nothing(ManifestState state) =>
        Decision.Nothing(new ManifestOutcome(state));

    // What is wrong with the manifest's own rows; null when nothing is. Both rows are read in any case.
    private static async Task<ManifestState?> ObstacleAsync(
        DecisionView view,
        BlobRow self,
        List<DependencyRow> dependencies,
        CancellationToken cancellationToken
    )
    {
        var isDependencyThere =
            dependencies.Count == 0 || await view.GetAsync(dependencies[^1].Key, cancellationToken) is not null;
        var own = await view.GetAsync(self.Key, cancellationToken);
        var isVerified =
            own is not null && BlobRow.From(own) is { State: BlobState.Good } blob && blob.BlobETag == self.BlobETag;
        return !isVerified ? ManifestState.Unknown
            : !isDependencyThere ? ManifestState.Forgotten
            : null;
    }

    // Null when the config was overwritten since it was verified.
    private static ImageRow? RowOf(PreparedImage prepared, ImageRow? current) =>
        prepared.Row is not { } row
            ? null
            : row with
            {
                Generation = current?.Generation ?? prepared.Generation,
                Committed = current?.Committed ?? prepared.Committed,
                Pin = current?.Pin,
                Subject = prepared.Manifest.Subject?.Digest,
            };

    private static async Task<Decision<ManifestOutcome>> CommitAsync(
        DecisionView view,
        BlobRow self,
        Manifest manifest,
        ImageRow row,
        List<DependencyRow> dependencies,
        IReadOnlyList<string> tags,
        CancellationToken cancellationToken
    )
    {
        var dependents = await WaitingTags.DependentsAsync(view, row.App, row.Digest, cancellationToken);
        var (waiting, more) = await WaitingTags.ChangesAsync(view, row, dependents, tags, cancellationToken);
        AddWrittenKeys(view, row.App, dependencies);
        return Decision.Of(
            new ManifestOutcome(ManifestState.Committed, more),
            [
                new Change(row.Key, row.ToRow()),
                .. Referrer(self, manifest, row),
                .. waiting,
                .. tags.Select(tag => Pushed(row, tag)),
            ]
        );
    }

    private static Change Pushed(ImageRow image, string tag)
    {
        var row = new TagRow(image.App, tag, image.Digest, image.Generation, FromLayout: false);
        return new Change(row.Key, row.ToRow());
    }

    // A concurrent decision that one of them is unneeded has not seen this image: these keys make it stale.
    private static void AddWrittenKeys(DecisionView view, string app, List<DependencyRow> dependencies)
    {
        var keys = dependencies
            .Select(n => Keys.AnyDependency(app, n.Needed))
            .Distinct(StringComparer.Ordinal)
            .ToList();
        (keys.Count <= MaxWrittenKeys ? keys : [Keys.AnyDependency(app)]).ForEach(view.AddWrittenKey);
    }

    private static IEnumerable<Change> Referrer(BlobRow self, Manifest manifest, ImageRow row)
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

    // All dependencies of the manifest; null when one is missing.
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

    // All rows, or null as soon as one is missing.
    private static async Task<List<T>?> ReadAllAsync<T>(
        DecisionView view,
        IEnumerable<string> keys,
        Func<TableRow, T> from,
        CancellationToken cancellationToken
    )
    {
        var rows = new List<T>();
        // In random order: while the blobs of a long manifest land one by one, a missing one is found early.
        await foreach (var (_, row) in keys.Shuffle().ReadEachAsync(key => view.GetAsync(key, cancellationToken)))
        {
            if (row is null)
            {
                return null;
            }

            rows.Add(from(row));
        }

        return rows;
    }
}
