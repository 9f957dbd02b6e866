using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>What one try to commit a stored manifest makes of its bytes before it is decided.</summary>
internal sealed class ManifestStep(Content content, ImageRows imageRows, BlobPath path)
{
    /// <summary>The manifest's blob.</summary>
    public BlobPath Path => path;

    /// <summary>Whether <see cref="ReadAsync"/> was called.</summary>
    public bool IsRead { get; private set; }

    /// <summary>The row of the blob that was read.</summary>
    public BlobRow? Blob { get; private set; }

    /// <summary>What the bytes say; null where they were overwritten or deleted, which has an event of its own.</summary>
    public Manifest? Manifest { get; private set; }

    /// <summary>The image's row, as far as it follows from bytes.</summary>
    public PreparedImage? Prepared { get; private set; }

    /// <summary>The rows that say what it needs.</summary>
    public IReadOnlyList<DependencyRow> Dependencies { get; private set; } = [];

    /// <summary>
    /// Whether the commit writes the dependencies itself: then they need not be there before. Where something is missing they
    /// are written all the same, so that who brings it finds the manifest.
    /// </summary>
    public bool DependenciesRide => Dependencies.Count <= PushDecision.MaxRiding;

    /// <summary>Reads and parses the manifest.</summary>
    /// <param name="blob">Its row.</param>
    /// <param name="types">The media types that it is named as, at least one.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="InvalidContentException">It is not a valid manifest of any of these types.</exception>
    public async Task ReadAsync(BlobRow blob, IReadOnlyList<string?> types, CancellationToken cancellationToken)
    {
        (IsRead, Blob) = (true, blob);
        if (await content.ReadAsync(path, blob.BlobETag, cancellationToken) is { } bytes)
        {
            Manifest = ParseAsOneOf(bytes, types);
            Dependencies = Repositories.Dependencies.Of(path, Manifest);
            Prepared = new PreparedImage(imageRows, content, path, Manifest, ImageState.Complete);
        }
    }

    // Those who name a manifest may disagree about its type; it is enough that one of them is right.
    private static Manifest ParseAsOneOf(byte[] bytes, IReadOnlyList<string?> types)
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
}
