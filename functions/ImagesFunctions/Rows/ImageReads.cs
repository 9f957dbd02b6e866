using ImagesFunctions.Journal;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Rows;

/// <summary>Reads of images by decisions.</summary>
internal static class ImageReads
{
    /// <summary>The image of a digest that is there, complete or hidden; or null.</summary>
    public static async Task<ImageRow?> ImageAsync(
        this DecisionView view,
        string app,
        Digest digest,
        CancellationToken cancellationToken
    ) => ImageRow.Live(await view.GetAsync(Keys.Image(app, digest), cancellationToken));

    /// <summary>The row of a verified blob; null where there is none, or its bytes are bad or going.</summary>
    public static async Task<BlobRow?> GoodBlobAsync(
        this DecisionView view,
        string app,
        Digest digest,
        CancellationToken cancellationToken
    ) =>
        BlobRow.FromOrNull(await view.GetAsync(Keys.Blob(app, digest), cancellationToken))
            is { State: BlobState.Good } blob
            ? blob
            : null;

    /// <summary>
    /// The image that a tag points to, complete or hidden. Null where there is no such tag, where it waits for its image, and
    /// where it names another generation: that is what a removed image leaves.
    /// </summary>
    public static async Task<ImageRow?> TaggedImageAsync(
        this DecisionView view,
        string app,
        string tag,
        CancellationToken cancellationToken
    ) =>
        await view.GetAsync(Keys.Tag(app, tag), cancellationToken) is { } stored
        && TagRow.From(stored) is var row
        && await view.ImageAsync(app, row.Digest, cancellationToken) is { } image
        && image.Generation == row.Generation
            ? image
            : null;
}
