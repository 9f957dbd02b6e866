using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Listing;

/// <summary>Reads the manifests that refer to another one.</summary>
internal sealed class ReferrerReads(StorageAccount account, RowStore rowStore, Content content)
{
    /// <summary>The complete manifests whose subject is a digest, whole, in the order of their keys.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="subject">The digest, of a supported algorithm.</param>
    /// <param name="after">Only those behind this short key; "" for all.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    public IAsyncEnumerable<ReferrerRow> OfAsync(
        Repository repository,
        Digest subject,
        string after,
        CancellationToken cancellationToken
    )
    {
        var range = Keys.Referrers(repository.App, subject);
        // From where the page begins, and no further than it goes: a subject may have very many. What a client wrote is no
        // part of a query unless it could be a key.
        var from = string.Concat(range.From, string.Concat(after.TakeWhile(char.IsAsciiHexDigitLower)));
        return account
            .ImageRows.Stream(repository.Namespace, range with { From = from })
            .Select(ReferrerRow.From)
            .Where(r => string.CompareOrdinal(r.Digest.ShortKey, after) > 0)
            .ReadEachAsync(r => WholeAsync(repository, r, cancellationToken), cancellationToken)
            .Select(read => read.Result)
            .OfType<ReferrerRow>();
    }

    /// <summary>Whether a signature of an image is in its repository, by its type or by the tag that cosign gives it.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="digest">The image.</param>
    /// <param name="names">The names of its namespace.</param>
    /// <param name="cancellationToken">Cancels the reads.</param>
    public async Task<bool> IsSignedAsync(
        Repository repository,
        Digest digest,
        RegistryNames names,
        CancellationToken cancellationToken
    ) =>
        names.TagKeys.Contains(Keys.Tag(repository.App, ArtifactKinds.SignatureTagOf(digest)))
        || await OfAsync(repository, digest, "", cancellationToken)
            .AnyAsync(r => KindOf(r) == ArtifactKind.Signature, cancellationToken);

    /// <summary>The kind of a whole referrer.</summary>
    public static ArtifactKind KindOf(ReferrerRow referrer) =>
        ArtifactKinds.Of(referrer.ArtifactType, referrer.Annotations ?? ImageFacts.None.Labels);

    // The referrer, with what does not fit into its row; null when its manifest does not count.
    private async Task<ReferrerRow?> WholeAsync(
        Repository repository,
        ReferrerRow row,
        CancellationToken cancellationToken
    )
    {
        if (await rowStore.ImageAsync(repository, row.Digest, cancellationToken) is not { State: ImageState.Complete })
        {
            return null;
        }

        if (row.Annotations is not null && (row.ArtifactType is not null || MediaTypes.IsIndex(row.MediaType)))
        {
            return row;
        }

        var path = new BlobPath(repository, row.Digest);
        if (
            await rowStore.BlobAsync(path, cancellationToken) is not { State: BlobState.Good } blob
            || await content.ReadAsync(path, blob.BlobETag, cancellationToken) is not { } bytes
        )
        {
            return null;
        }

        var manifest = Manifest.Parse(bytes, row.MediaType);
        return row with { ArtifactType = manifest.ReferrerType, Annotations = manifest.Annotations };
    }
}
