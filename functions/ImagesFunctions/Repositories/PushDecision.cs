using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>The decision about a pushed manifest: it reads rows and returns changes, and has no other effect.</summary>
internal static class PushDecision
{
    /// <summary>How many rows of tags and needs a commit has at most, if the needs are a part of it. Tags that wait have room beside them.</summary>
    public const int MaxRiding = 60;

    /// <summary>Decides whether a manifest is committed, and with it its tags and the tags that waited for it.</summary>
    /// <param name="view">The namespace.</param>
    /// <param name="step">What is pushed, and what was made of it outside the decision.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<Decision<PushOutcome>> DecideAsync(
        DecisionView view,
        PushStep step,
        CancellationToken cancellationToken
    )
    {
        var (app, digest) = (step.Path.Repository.App, step.Path.Digest);
        if (step.Pushed.Condition is { } condition && !await condition.HoldsAsync(view, app, digest, cancellationToken))
        {
            return Nothing(ManifestState.Unmatched);
        }

        await view.DemandChangeableAsync(app, step.Pushed.Tags, digest, cancellationToken);
        var current = await view.ImageAsync(app, digest, cancellationToken);
        var needed = current is { State: ImageState.Complete }
            ? null
            : await NeededAsync(view, app, digest, step.Pushed.Manifest, cancellationToken);
        if (needed is { Missing.Count: > 0 })
        {
            return Decision.Nothing(new PushOutcome(ManifestState.Waiting) { Missing = needed.Missing });
        }

        var isAssumedNew = step.AssumesNew && current is null;
        var stored = isAssumedNew ? null : await view.GetAsync(Keys.Blob(step.Path), cancellationToken);
        var own = BlobRow.FromOrNull(stored);
        if (!step.IsTried)
        {
            return Decision.After<PushOutcome>(stop => step.PrepareAsync(own, needed, stop));
        }

        if (!await HoldsAsync(view, step, own, cancellationToken))
        {
            return Nothing(ManifestState.Forgotten);
        }

        var decision = needed is null
            ? Decision.Of(
                new PushOutcome(ManifestState.Already),
                [
                    .. step.Pushed.Tags.Select(tag => ManifestDecision.Pushed(current!, tag, step.Push)),
                    .. await RenewedAsync(view, app, own, cancellationToken),
                ]
            )
            : await CommitAsync(view, step, own, current, cancellationToken);
        return decision with { By = step.Pushed.By?.Text };
    }

    private static Decision<PushOutcome> Nothing(ManifestState state) => Decision.Nothing(new PushOutcome(state));

    // What it needs, and with that the tags that wait for it, which its commit asks for.
    private static async Task<NeededRows> NeededAsync(
        DecisionView view,
        string app,
        Digest digest,
        Manifest manifest,
        CancellationToken cancellationToken
    )
    {
        var needed = NeededRows.ReadAsync(view, app, manifest, toFirstMissing: false, cancellationToken);
        await Task.WhenAll(needed, view.RangeAsync(Keys.Dependencies(app, digest), cancellationToken));
        return await needed;
    }

    // Whether what was made outside the decision is still what rows say, or may become.
    private static async Task<bool> HoldsAsync(
        DecisionView view,
        PushStep step,
        BlobRow? own,
        CancellationToken cancellationToken
    ) =>
        (own is null ? step.Created is not null : own.State == BlobState.Good && own.BlobETag == step.Row?.BlobETag)
        && (step.DependenciesRide || await view.GetAsync(step.Dependencies[^1].Key, cancellationToken) is not null);

    // Where rules let go what was pushed long ago, a push of what is there says by its row that it was pushed now.
    private static async Task<Change[]> RenewedAsync(
        DecisionView view,
        string app,
        BlobRow? own,
        CancellationToken cancellationToken
    ) =>
        own is not null && (await view.RulesAsync(isFresh: false, cancellationToken)).RetentionOf(app) is not null
            ? [new Change(own.Key, own.ToRow(), own.RowETag)]
            : [];

    private static async Task<Decision<PushOutcome>> CommitAsync(
        DecisionView view,
        PushStep step,
        BlobRow? own,
        ImageRow? current,
        CancellationToken cancellationToken
    )
    {
        if (ManifestDecision.RowOf(step.Prepared, step.Row!, current, step.Pushed.By) is not { } row)
        {
            // The config has just been overwritten.
            return Nothing(ManifestState.Forgotten);
        }

        List<Change> riding =
        [
            .. own is null ? [new Change(step.Row!.Key, step.Row.ToRow()) { IsNew = true }] : Array.Empty<Change>(),
            .. step.DependenciesRide ? Dependencies.Changes(step.Dependencies) : [],
        ];
        var committed = new CommittedManifest(step.Row!, step.Pushed.Manifest, row, step.Dependencies)
        {
            Tags = step.Pushed.Tags,
            Push = step.Push,
            Riding = riding,
        };
        return Decision.Of(
            new PushOutcome(ManifestState.Committed),
            await ManifestDecision.ChangesAsync(view, committed, cancellationToken)
        );
    }
}
