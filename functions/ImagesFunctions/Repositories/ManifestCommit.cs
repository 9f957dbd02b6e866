using System.Runtime.ExceptionServices;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>
/// Commits manifests: one transaction writes an image's row and the tags that waited for it, at a moment when everything that the
/// image needs is there. The rows of its dependencies are written first, and a process that brings a dependency looks them up
/// afterwards: so one of the two always sees the other.
/// </summary>
/// <remarks>
/// One try: the manifest's blob is verified (row <c>b</c>) and named as a manifest (row <c>n</c>); it is read and parsed; its
/// dependencies are written (rows <c>n</c>); then the decision checks that all of them are there (rows <c>b</c> and <c>i</c>), and
/// writes the image's row and the tags that waited for it. If a dependency is missing, nothing is written: the process that brings
/// it finds the rows <c>n</c> and tries again.
/// </remarks>
internal sealed class ManifestCommit(RowStore rowStore, Content content, ImageRows imageRows, Refusals refusals)
{
    private const int TriesAtOnce = 8;

    private readonly ManifestTry _try = new(rowStore, content, imageRows, refusals);

    /// <summary>
    /// Commits those of these manifests that are complete, and what they complete. Does nothing for manifests that are
    /// committed or that still wait.
    /// </summary>
    /// <param name="repository">The repository.</param>
    /// <param name="changed">
    /// Manifests that are new or newly named. The manifests that an index among them names are tried as well, at any depth.
    /// </param>
    /// <param name="dependents">
    /// Manifests that may be complete now. The manifests that they name are not tried: each of those finds its dependents by
    /// the rows <c>n</c>, and the other direction would take time in the square of an index's length.
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

    // A failure does not keep the others, which share a blob with it, from being tried.
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
        catch (StorageHeldException error)
        {
            // The manifest or its config cannot be read. That must not fail the operation that brought another part of it.
            await refusals.FailAsync(new BlobPath(repository, digest).ToString(), error.Message, cancellationToken);
            return (digest, new ManifestOutcome(ManifestState.Refused), null);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            return (digest, new ManifestOutcome(ManifestState.Unknown), ExceptionDispatchInfo.Capture(error));
        }
    }
}
