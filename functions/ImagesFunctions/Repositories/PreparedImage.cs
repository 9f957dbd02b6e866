using System.Security.Cryptography;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>
/// The row of a manifest, made before it is decided whether to write it: what it says follows from bytes that never change.
/// </summary>
/// <param name="imageRows">Makes it.</param>
/// <param name="content">Takes what is too long for it.</param>
/// <param name="repository">The repository.</param>
/// <param name="digest">The manifest's digest.</param>
/// <param name="manifest">What its bytes say.</param>
/// <param name="state">What the row says of itself.</param>
internal sealed class PreparedImage(
    ImageRows imageRows,
    Content content,
    Repository repository,
    Digest digest,
    Manifest manifest,
    ImageState state
)
{
    private const int MaxInlineFacts = 60_000;

    /// <summary>What its bytes say.</summary>
    public Manifest Manifest => manifest;

    /// <summary>The generation of a row that is new.</summary>
    public string Generation { get; } = RandomNumberGenerator.GetHexString(16, lowercase: true);

    /// <summary>When a row that is new says that it was committed, in whole milliseconds.</summary>
    public DateTimeOffset Committed { get; } =
        DateTimeOffset.FromUnixTimeMilliseconds(content.Clock.UtcNow.ToUnixTimeMilliseconds());

    /// <summary>Whether it was tried to make the row.</summary>
    public bool IsTried { get; private set; }

    /// <summary>The row; null before it is made, and when the config has just been overwritten.</summary>
    public ImageRow? Row { get; private set; }

    /// <summary>Makes the row from the rows of all that the manifest needs.</summary>
    /// <exception cref="InvalidContentException">The config is no image config.</exception>
    public async Task MakeAsync(
        IReadOnlyList<BlobRow> blobs,
        IReadOnlyList<ImageRow> children,
        CancellationToken cancellationToken
    )
    {
        var row = manifest.IsIndex
            ? await imageRows.OfIndexAsync(repository, digest, manifest, children, withAll: false, cancellationToken)
            : await imageRows.OfImageAsync(repository, digest, manifest, blobs, cancellationToken);
        if (row is not null)
        {
            row = row.Shown() with { State = state };
            // Puts aside what is too long for the row.
            Row =
                LongFacts.Write(row).Length > MaxInlineFacts
                    ? row with
                    {
                        FactsBlob = await content.Facts.WriteAsync(repository.Namespace, row, cancellationToken),
                    }
                    : row;
        }

        IsTried = true;
    }
}
