using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Storage;
using ImagesFunctions.Telemetry;

namespace ImagesFunctions.Ingest;

/// <summary>
/// A blob landed: verified, then indexed. Every event may come late, twice, out of order or for a blob that is gone
/// again; all of them lead to the same rows, because nothing is taken from the event but the path.
/// </summary>
public sealed class BlobIngest
{
    private readonly Content _content;
    private readonly BlobRegistration _registration;
    private readonly Refusals _refusals;
    private readonly LayoutIndex _layoutIndex;

    internal BlobIngest(Content content, BlobRegistration registration, Refusals refusals, LayoutIndex layoutIndex) =>
        (_content, _registration, _refusals, _layoutIndex) = (content, registration, refusals, layoutIndex);

    /// <summary>
    /// Takes in what stands at a path of the container <c>images</c> now: a new blob, an overwritten one, or none any more.
    /// Bad input is recorded, not thrown.
    /// </summary>
    /// <param name="path">The path inside the container, such as <c>alice/hello/blobs/sha256/…</c>.</param>
    /// <param name="cancellationToken">Ends it between any two steps; the next event for the path goes on.</param>
    /// <exception cref="StorageUnavailableException">Storage failed, as any exception of the Azure SDK says as well: the event is to be delivered again.</exception>
    public Task LandedAsync(string path, CancellationToken cancellationToken) =>
        TryLandedAsync(path, cancellationToken);

    /// <summary>As <see cref="LandedAsync"/>, and says what came of it.</summary>
    internal Task<Landed> TryLandedAsync(string path, CancellationToken cancellationToken) =>
        Metrics.IngestAsync(
            () => Refusals.Visible(path),
            () => TakeInOrRecordAsync(path, cancellationToken),
            cancellationToken
        );

    private async Task<Landed> TakeInOrRecordAsync(string path, CancellationToken cancellationToken)
    {
        try
        {
            return await TakeInAsync(path, cancellationToken);
        }
        catch (StorageHeldException error)
        {
            // The same event again would find the same. The sweeper tries again, as with all that failed.
            await _refusals.FailAsync(path, error.Message, cancellationToken);
            return Landed.Held;
        }
    }

    private async Task<Landed> TakeInAsync(string path, CancellationToken cancellationToken)
    {
        if (!LayoutPath.TryParse(path, out var layoutPath, out var refusal))
        {
            // Clients take such parts out of an address, so that nobody can look there: it landed, that must do.
            var canBeAsked = !path.Split('/').Any(part => part is "" or "." or "..");
            var stored = canBeAsked ? await _content.StatAsync(path, cancellationToken) : null;
            if (canBeAsked && stored is null)
            {
                await _refusals.ClearAsync(path, cancellationToken);
                return Landed.Gone;
            }

            if (ForeignFile.IsOne(path) || stored is { IsFolder: true })
            {
                // An earlier version has refused it.
                await _refusals.ClearAsync(path, cancellationToken);
                return Landed.Ignored;
            }

            await _refusals.RefuseAsync(RefusalKind.Path, path, refusal, null, cancellationToken);
            return Landed.Refused;
        }

        if (layoutPath.Digest is { } digest)
        {
            return await _registration.RegisterAsync(layoutPath.Repository, digest, cancellationToken);
        }

        if (!layoutPath.IsIndex)
        {
            return Landed.Ignored;
        }

        await _layoutIndex.LandedAsync(layoutPath.Repository, cancellationToken);
        return Landed.Index;
    }

    /// <summary>Records that <see cref="LandedAsync"/> was tried as often as it may be and failed each time.</summary>
    public Task FailedAsync(string path, Exception error, CancellationToken cancellationToken) =>
        _refusals.FailAsync(
            path,
            $"storage failed: {error.GetType().Name}: {error.Message.Split('\n')[0].Trim()}",
            cancellationToken
        );
}
