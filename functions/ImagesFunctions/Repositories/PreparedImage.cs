using System.Security.Cryptography;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>
/// The row of a manifest, made before the decision that writes it: it follows from bytes that never change.
/// </summary>
/// <param name="imageRows">Makes the row.</param>
/// <param name="content">Stores facts that are too long for the row.</param>
/// <param name="path">The manifest's blob.</param>
/// <param name="manifest">The parsed manifest.</param>
/// <param name="state">The state of the row.</param>
internal sealed class PreparedImage(
    ImageRows imageRows,
    Content content,
    BlobPath path,
    Manifest manifest,
    ImageState state
)
{
    private const int MaxInlineFacts = 60_000;

    /// <summary>The parsed manifest.</summary>
    public Manifest Manifest => manifest;

    /// <summary>The generation of a new row.</summary>
    public string Generation { get; } = RandomNumberGenerator.GetHexString(16, lowercase: true);

    /// <summary>The commit time of a new row, in whole milliseconds.</summary>
    public DateTimeOffset Committed { get; } =
        DateTimeOffset.FromUnixTimeMilliseconds(content.Clock.UtcNow.ToUnixTimeMilliseconds());

    /// <summary>Whether <see cref="MakeAsync"/> was called.</summary>
    public bool IsTried { get; private set; }

    /// <summary>The row; null before it is made, and when the config was overwritten since it was verified.</summary>
    public ImageRow? Row { get; private set; }

    /// <summary>Makes the row from the rows of the manifest's dependencies.</summary>
    /// <exception cref="InvalidContentException">The config is not an image config.</exception>
    public async Task MakeAsync(
        IReadOnlyList<BlobRow> blobs,
        IReadOnlyList<ImageRow> children,
        CancellationToken cancellationToken
    )
    {
        var row = manifest.IsIndex
            ? await imageRows.OfIndexAsync(path, manifest, children, withAll: false, cancellationToken)
            : await imageRows.OfImageAsync(path, manifest, blobs, cancellationToken);
        if (row is not null)
        {
            row = row.Shown() with { State = state };
            // Facts that are too long for the row go into a blob.
            Row =
                LongFacts.Write(row).Length > MaxInlineFacts
                    ? row with
                    {
                        FactsBlob = await content.Facts.WriteAsync(path.Repository.Namespace, row, cancellationToken),
                    }
                    : row;
        }

        IsTried = true;
    }
}
