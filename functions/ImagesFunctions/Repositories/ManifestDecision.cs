using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>A manifest that is committed.</summary>
/// <param name="Blob">Its own blob.</param>
/// <param name="Manifest">What its bytes say.</param>
/// <param name="Row">Its row.</param>
/// <param name="Dependencies">The rows that say what it needs.</param>
internal sealed record CommittedManifest(
    BlobRow Blob,
    Manifest Manifest,
    ImageRow Row,
    IReadOnlyList<DependencyRow> Dependencies
)
{
    /// <summary>Distinct tags to point to it.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>What the rows of these tags say of the push; null where there are none.</summary>
    public TagPush? Push { get; init; }

    /// <summary>Other rows of its commit.</summary>
    public IReadOnlyList<Change> Riding { get; init; } = [];
}

/// <summary>The decisions about manifests: they read rows and return changes, and have no other effect.</summary>
internal static class ManifestDecision
{
    private const int MaxWrittenKeys = 200;

    /// <summary>Decides whether a manifest that stands in the repository is committed, and with it the tags that waited for it.</summary>
    /// <param name="view">The namespace.</param>
    /// <param name="step">What was made of its bytes outside the decision.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<Decision<ManifestOutcome>> DecideAsync(
        DecisionView view,
        ManifestStep step,
        CancellationToken cancellationToken
    )
    {
        var (app, digest) = (step.Path.Repository.App, step.Path.Digest);
        var current = await view.ImageAsync(app, digest, cancellationToken);
        if (current is { State: ImageState.Complete })
        {
            return Nothing(ManifestState.Already);
        }

        var blob = view.GoodBlobAsync(app, digest, cancellationToken);
        var naming = step.IsRead
            ? Task.FromResult<List<string?>>([])
            : TypesAsync(view, app, digest, current, cancellationToken);
        await Task.WhenAll(blob, naming);
        if (await blob is not { } self)
        {
            return Nothing(ManifestState.Unknown);
        }

        if (!step.IsRead)
        {
            var types = await naming;
            return types.Count == 0
                ? Nothing(ManifestState.Unknown)
                : Decision.After<ManifestOutcome>(stop => step.ReadAsync(self, types, stop));
        }

        if (step.Manifest is null || self.BlobETag != step.Blob!.BlobETag)
        {
            return Nothing(ManifestState.Unknown);
        }

        if (!step.DependenciesRide && await view.GetAsync(step.Dependencies[^1].Key, cancellationToken) is null)
        {
            return Nothing(ManifestState.Forgotten);
        }

        return await CompleteAsync(view, step, self, current, cancellationToken);
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

    // The media types that it is named as.
    private static async Task<List<string?>> TypesAsync(
        DecisionView view,
        string app,
        Digest digest,
        ImageRow? current,
        CancellationToken cancellationToken
    ) =>
        current is not null
            ? [current.MediaType]
            :
            [
                .. (await WaitingTags.DependentsAsync(view, app, digest, cancellationToken))
                    .Where(d => d.ManifestType is not null)
                    .Select(d => d.ManifestType)
                    .Distinct(StringComparer.Ordinal),
            ];

    private static async Task<Decision<ManifestOutcome>> CompleteAsync(
        DecisionView view,
        ManifestStep step,
        BlobRow self,
        ImageRow? current,
        CancellationToken cancellationToken
    )
    {
        var needed = await NeededRows.ReadAsync(
            view,
            self.App,
            step.Manifest!,
            toFirstMissing: true,
            cancellationToken
        );
        if (needed.Missing.Count > 0)
        {
            return Nothing(ManifestState.Waiting);
        }

        var prepared = step.Prepared!;
        if (!prepared.IsTried)
        {
            return Decision.After<ManifestOutcome>(stop => prepared.MakeAsync(needed.Blobs, needed.Children, stop));
        }

        if (RowOf(prepared, self, current) is not { } row)
        {
            // The config has just been overwritten.
            return Nothing(ManifestState.Waiting);
        }

        var committed = new CommittedManifest(self, step.Manifest!, row, step.Dependencies)
        {
            Riding = step.DependenciesRide ? [.. Dependencies.Changes(step.Dependencies)] : [],
        };
        return Decision.Of(
            new ManifestOutcome(ManifestState.Committed),
            await ChangesAsync(view, committed, cancellationToken)
        );
    }

    /// <summary>The row of a manifest that is committed; null when its config has just been overwritten.</summary>
    /// <param name="prepared">What follows from bytes.</param>
    /// <param name="self">The manifest's own blob.</param>
    /// <param name="current">The row until now; null where there is none.</param>
    /// <param name="by">Who pushes it; null where nobody does. It stands beside the time of the first commit.</param>
    public static ImageRow? RowOf(PreparedImage prepared, BlobRow self, ImageRow? current, Author? by = null) =>
        prepared.Row is not { } row
            ? null
            : row with
            {
                Generation = current?.Generation ?? prepared.Generation,
                Committed = current?.Committed ?? prepared.Committed,
                PushedBy = current is null ? by : current.PushedBy,
                Pin = current?.Pin,
                Subject = prepared.Manifest.Subject?.Digest,
                Stored = new StoredManifest(self.BlobETag, self.Size),
            };

    /// <summary>What one transaction writes to commit a manifest, with as many of the tags that wait for it as fit.</summary>
    public static async Task<IReadOnlyList<Change>> ChangesAsync(
        DecisionView view,
        CommittedManifest committed,
        CancellationToken cancellationToken
    )
    {
        var (row, tags) = (committed.Row, committed.Tags);
        var dependents = await WaitingTags.DependentsAsync(view, row.App, row.Digest, cancellationToken);
        var others = committed.Riding.Count + tags.Count;
        var (waiting, _) = await WaitingTags.ChangesAsync(view, row, dependents, tags, others, cancellationToken);
        AddWrittenKeys(view, row.App, committed.Dependencies);
        return
        [
            new Change(row.Key, row.ToRow()),
            .. Referrer(committed),
            .. committed.Riding,
            .. waiting,
            .. tags.Select(tag => Pushed(row, tag, committed.Push)),
        ];
    }

    /// <summary>Points a tag to an image, as a push does.</summary>
    public static Change Pushed(ImageRow image, string tag, TagPush? push)
    {
        var row = new TagRow(image.App, tag, image.Digest, image.Generation, FromLayout: false) { Pushed = push };
        return new Change(row.Key, row.ToRow());
    }

    // Whoever decides meanwhile that nobody needs one of them has not seen this image, and decides again.
    private static void AddWrittenKeys(DecisionView view, string app, IReadOnlyList<DependencyRow> dependencies)
    {
        var keys = dependencies
            .Select(n => Keys.AnyDependency(app, n.Needed))
            .Distinct(StringComparer.Ordinal)
            .ToList();
        (keys.Count <= MaxWrittenKeys ? keys : [Keys.AnyDependency(app)]).ForEach(view.AddWrittenKey);
    }

    private static IEnumerable<Change> Referrer(CommittedManifest committed)
    {
        if (committed.Row.Subject is { } subject)
        {
            var referrer = new ReferrerRow(
                committed.Row.App,
                subject,
                committed.Row.Digest,
                committed.Row.MediaType,
                committed.Blob.Size,
                committed.Manifest.ReferrerType,
                committed.Manifest.Annotations
            );
            yield return new Change(referrer.Key, referrer.ToRow());
        }
    }
}
