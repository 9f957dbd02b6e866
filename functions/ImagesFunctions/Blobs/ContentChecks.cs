using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Blobs;

/// <summary>Looks at a blob's properties, and what follows from them.</summary>
internal static class ContentChecks
{
    /// <summary>Whether the blob is there with this very ETag.</summary>
    public static async Task<bool> IsStillAsync(
        this Content content,
        LayoutPath path,
        string etag,
        CancellationToken cancellationToken
    ) => (await content.StatAsync(path, cancellationToken))?.ETag == etag;

    /// <summary>As <see cref="IsStillAsync"/>, for a caller that is about to say that the bytes can be read.</summary>
    /// <exception cref="StorageHeldException">The blob is there, and cannot be read.</exception>
    public static async Task<bool> IsReadableAsync(
        this Content content,
        LayoutPath path,
        string etag,
        CancellationToken cancellationToken
    )
    {
        var stored = await content.StatAsync(path, cancellationToken);
        return stored?.Unreadable is { } code
            ? throw new StorageHeldException(path.ToString(), code)
            : stored?.ETag == etag;
    }

    /// <summary>Makes sure that a blob can be removed, as far as its properties tell.</summary>
    /// <exception cref="StorageHeldException">It cannot be removed.</exception>
    public static async Task DemandRemovableAsync(
        this Content content,
        LayoutPath path,
        CancellationToken cancellationToken
    )
    {
        if (await content.StatAsync(path, cancellationToken) is { Unchangeable: { } code })
        {
            throw new StorageHeldException(path.ToString(), code);
        }
    }
}
