using ImagesFunctions.Blobs;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using ImagesFunctions.Telemetry;

namespace ImagesFunctions.Ingest;

/// <summary>
/// Takes in blobs: verifies them, and commits what they complete. Events may be late, duplicate, reordered, or about a blob that
/// is already removed; all of them lead to the same rows, because only the path is taken from the event.
/// </summary>
internal sealed class BlobIngest(
    Content content,
    BlobRegistration registration,
    Refusals refusals,
    LayoutIndex layoutIndex
)
{
    /// <summary>
    /// Takes in what is at a path of the container <c>images</c> now: a new blob, an overwritten one, or none.
    /// Bad input is recorded, not thrown.
    /// </summary>
    /// <param name="path">The path inside the container, such as <c>alice/hello/blobs/sha256/…</c>.</param>
    /// <param name="cancellationToken">Cancels the operation between two steps; the next event for the path completes it.</param>
    /// <returns>What came of it.</returns>
    /// <exception cref="StorageUnavailableException">
    /// Storage failed. Exceptions of the Azure SDK mean the same. The event is to be delivered again.
    /// </exception>
    public Task<Landed> LandedAsync(string path, CancellationToken cancellationToken) =>
        Metrics.IngestAsync(
            () => Refusals.Visible(path),
            () =>
                LayoutPath.TryParse(path, out var file, out var refusal)
                    ? TakeInAsync(file, cancellationToken)
                    : RefuseAsync(path, refusal, cancellationToken),
            cancellationToken
        );

    /// <summary>As the other overload, for a file of a layout.</summary>
    public Task<Landed> LandedAsync(LayoutPath path, CancellationToken cancellationToken) =>
        Metrics.IngestAsync(path.ToString, () => TakeInAsync(path, cancellationToken), cancellationToken);

    private async Task<Landed> TakeInAsync(LayoutPath path, CancellationToken cancellationToken)
    {
        try
        {
            return await RegisterAsync(path, cancellationToken);
        }
        catch (StorageHeldException error)
        {
            // The same event would find the same again. The sweeper retries it, like all that failed.
            await refusals.FailAsync(path.ToString(), error.Message, cancellationToken);
            return Landed.Held;
        }
        catch (QuotaExceededException error)
        {
            // Each sweep looks for room, too.
            await refusals.RefuseAsync(RefusalKind.Quota, path, error.Message, actual: null, cancellationToken);
            return Landed.Refused;
        }
    }

    private async Task<Landed> RegisterAsync(LayoutPath path, CancellationToken cancellationToken)
    {
        switch (path)
        {
            case BlobPath blob:
                return await registration.RegisterAsync(blob, cancellationToken);
            case IndexPath index:
                await layoutIndex.LandedAsync(index, cancellationToken);
                return Landed.Index;
            default:
                return Landed.Ignored;
        }
    }

    private async Task<Landed> RefuseAsync(string path, string refusal, CancellationToken cancellationToken)
    {
        // Clients remove such parts from a URL, so that the blob cannot be looked at: its event has to be enough.
        var canBeAsked = !path.Split('/').Any(part => part is "" or "." or "..");
        var stored = canBeAsked ? await content.StatAsync(path, cancellationToken) : null;
        if (canBeAsked && stored is null)
        {
            await refusals.ClearAsync(path, cancellationToken);
            return Landed.Gone;
        }

        if (ForeignFile.IsOne(path) || stored is { IsFolder: true })
        {
            // An earlier version has refused it.
            await refusals.ClearAsync(path, cancellationToken);
            return Landed.Ignored;
        }

        await refusals.RefuseAsync(RefusalKind.Path, path, refusal, null, cancellationToken);
        return Landed.Refused;
    }

    /// <summary>Records that the host has given up a blob after its last try of <see cref="LandedAsync(string, CancellationToken)"/>.</summary>
    public Task FailedAsync(string path, Exception error, CancellationToken cancellationToken) =>
        refusals.FailAsync(
            path,
            $"storage failed: {error.GetType().Name}: {error.Message.Split('\n')[0].Trim()}",
            cancellationToken
        );
}
