using System.Runtime.ExceptionServices;
using ImagesFunctions.Blobs;
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
internal sealed class ManifestCommit(RowStore rowStore, Content content, ImageRows imageRows, Refusals refusals)
{
    private const int TriesAtOnce = 8;

    private readonly ManifestTry _try = new(rowStore, content, imageRows, refusals);

    /// <summary>
    /// Tries to commit manifests of a repository, and whatever is complete by that. Does nothing for what is committed
    /// already or still waits.
    /// </summary>
    /// <param name="repository">The repository.</param>
    /// <param name="changed">
    /// The manifests that are new or newly named: what an index among them names is tried as well, and what that names.
    /// </param>
    /// <param name="dependents">
    /// Manifests that may be complete now. What they name is not tried: the rows <c>n</c> lead from each of those to them, and
    /// to look the other way each time would take time in the square of an index's length.
    /// </param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task CommitReadyAsync(
        Repository repository,
        IEnumerable<Digest> changed,
        IEnumerable<Digest> dependents,
        CancellationToken cancellationToken
    )
    {
        var open = new OpenManifests(changed, dependents);
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
                open.Add(digest, outcome);
            }
        }

        failure?.Throw();
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
            return (digest, await _try.RunAsync(new BlobPath(repository, digest), cancellationToken), null);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            return (digest, new ManifestOutcome(ManifestState.Unknown), ExceptionDispatchInfo.Capture(error));
        }
    }
}
