using System.Runtime.ExceptionServices;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

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
internal sealed class ManifestCommit(RowStore rowStore, Content content, ImageRows imageRows, Refusals refusals)
{
    private const int TriesAtOnce = 8;

    private readonly ManifestTry _try = new(rowStore, content, imageRows, refusals);

    /// <summary>
    /// Tries to commit manifests of a repository, and whatever is complete by that. Does nothing for what is committed
    /// already or still waits.
    /// </summary>
    /// <param name="repository">The repository.</param>
    /// <param name="about">
    /// The manifests that are new or newly named: what an index among them names is tried as well, and what that names.
    /// </param>
    /// <param name="dependents">
    /// Manifests that may be complete now. What they name is not tried: the rows <c>n</c> lead from each of those to them, and
    /// to look the other way each time would take time in the square of an index's length.
    /// </param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The digests that are said to be manifests and are none, or cannot be read now; each is recorded.</returns>
    public async Task<IReadOnlySet<Digest>> SettleAsync(
        Repository repository,
        IEnumerable<Digest> about,
        IEnumerable<Digest> dependents,
        CancellationToken cancellationToken
    )
    {
        var open = new OpenManifests(about, dependents);
        ExceptionDispatchInfo? failure = null;
        while (open.Take(TriesAtOnce) is { Length: > 0 } batch)
        {
            foreach (
                var (digest, outcome, error) in await Task.WhenAll(
                    batch.Select(digest => GuardedTryAsync(repository, digest, cancellationToken))
                )
            )
            {
                failure ??= error;
                if (open.Add(digest, outcome))
                {
                    var needs = await rowStore.NeedsAsync(repository, digest, cancellationToken);
                    open.Add(needs.Select(n => n.By.Digest).OfType<Digest>());
                }
            }
        }

        failure?.Throw();
        return open.Refused;
    }

    /// <summary>
    /// Commits a manifest whose blob is verified and which a client has called one, together with its tags: all of it, or
    /// nothing. Then whatever is complete by that.
    /// </summary>
    /// <param name="repository">The repository.</param>
    /// <param name="digest">The manifest's digest.</param>
    /// <param name="manifest">What its bytes say.</param>
    /// <param name="tags">Distinct tags to point to it, at most 90.</param>
    /// <param name="condition">What has to hold of what it replaces; null: nothing.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>False when something that it needs, or the manifest itself, is not there any more; nothing is committed.</returns>
    /// <exception cref="PreconditionFailedException">The condition does not hold; nothing is committed.</exception>
    public async Task<bool> PushAsync(
        Repository repository,
        Digest digest,
        Manifest manifest,
        IReadOnlyList<string> tags,
        TagCondition? condition,
        CancellationToken cancellationToken
    )
    {
        if (
            await rowStore.BlobAsync(repository, digest, cancellationToken) is not { State: BlobState.Good } blob
            || !await content.IsStillAsync(LayoutPath.Of(repository, digest), blob.BlobETag, cancellationToken)
        )
        {
            return false;
        }

        // Written anew also where they are: who removes those that nobody needs any more compares their ETags.
        var needs = Dependencies.NeedsOf(repository, digest, manifest);
        await rowStore.PutNeedsAsync(repository.Namespace, needs, cancellationToken);
        var prepared = new PreparedImage(imageRows, content, repository, digest, manifest, ImageState.Complete);
        var outcome = await rowStore.CommitAsync(
            repository.Namespace,
            (view, stop) => ManifestDecision.DecideAsync(view, blob, prepared, needs, tags, condition, stop),
            cancellationToken
        );
        if (outcome.State == ManifestState.Unmatched)
        {
            throw new PreconditionFailedException("what a push was to replace is something else");
        }

        if (outcome.State is not (ManifestState.Committed or ManifestState.Already))
        {
            return false;
        }

        await SettleAsync(repository, [digest], [], cancellationToken);
        return true;
    }

    // One that fails does not keep the others, which share a blob with it, from being tried.
    private async Task<(Digest Digest, ManifestOutcome Outcome, ExceptionDispatchInfo? Error)> GuardedTryAsync(
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return (digest, await _try.RunAsync(repository, digest, cancellationToken), null);
        }
        catch (StorageHeldException error)
        {
            // Its config, or the manifest itself, cannot be read. That is no fault of whoever brought another part of it.
            await refusals.FailAsync(LayoutPath.Of(repository, digest), error.Message, cancellationToken);
            return (digest, new ManifestOutcome(ManifestState.Refused), null);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            return (digest, new ManifestOutcome(ManifestState.Unknown), ExceptionDispatchInfo.Capture(error));
        }
    }
}
