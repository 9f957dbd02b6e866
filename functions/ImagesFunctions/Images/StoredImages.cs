using ImagesFunctions.Blobs;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Images;

/// <summary>
/// The images of a store as its operator sees and changes them: whoever may read and write the storage account needs no token.
/// Every change is the decision that the same request to an API is.
/// </summary>
public sealed class StoredImages
{
    private readonly RowStore _rowStore;
    private readonly ImageRows _imageRows;
    private readonly Content _content;
    private readonly NamespaceLists _lists;
    private readonly Removal _removal;
    private readonly Pins _pins;
    private readonly ManifestPush _push;

    internal StoredImages(
        RowStore rowStore,
        ImageRows imageRows,
        Content content,
        NamespaceLists lists,
        Removal removal,
        Pins pins,
        ManifestPush push
    ) =>
        (_rowStore, _imageRows, _content, _lists, _removal, _pins, _push) = (
            rowStore,
            imageRows,
            content,
            lists,
            removal,
            pins,
            push
        );

    /// <summary>The listed images, by repository and digest.</summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="app">One app of it; null for all.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="Journal.StorageUnavailableException">The rows cannot be read now. An old list is never returned.</exception>
    public async Task<IReadOnlyList<StoredImage>> ListAsync(
        string @namespace,
        string? app,
        CancellationToken cancellationToken
    )
    {
        var list = await _lists.CurrentAsync(@namespace, app, cancellationToken);
        var range = app is null ? Keys.All('i') : Keys.OfApp('i', app);
        return
        [
            .. list.In(range, after: "", tagged: false)
                .Select(image => Of(Repository.Of(@namespace, image.Row.App), image.Row, image.Tags)),
        ];
    }

    /// <summary>What a tag or a digest names, also what is no image, such as a signature; null where nothing complete is.</summary>
    public async Task<StoredImage?> FindAsync(Reference reference, CancellationToken cancellationToken)
    {
        var repository = reference.Repository;
        var row = reference.Digest is { } digest
            ? await _rowStore.ImageAsync(repository, digest, cancellationToken)
            : await _rowStore.TaggedImageAsync(repository, reference.Tag!, cancellationToken);
        return row is { State: ImageState.Complete }
            ? Of(repository, row, await TagsAsync(repository, row, cancellationToken))
            : null;
    }

    /// <summary>What an image is made of, and what belongs to it.</summary>
    /// <returns>Null where it is gone meanwhile.</returns>
    /// <exception cref="Storage.StorageHeldException">Storage does not give out its manifest or its config.</exception>
    /// <exception cref="InvalidContentException">Its config is longer than one may be.</exception>
    public async Task<ImageDetails?> DetailsAsync(StoredImage image, CancellationToken cancellationToken)
    {
        var repository = image.Repository;
        if (
            await _rowStore.ImageAsync(repository, image.Digest, cancellationToken) is not { } row
            || await ReadAsync(new BlobPath(repository, image.Digest), cancellationToken) is not { } bytes
        )
        {
            return null;
        }

        var manifest = Manifest.Parse(bytes, image.MediaType);
        var facts = await _imageRows.WithAllFactsAsync(repository.Namespace, row, cancellationToken);
        return new ImageDetails(image, manifest, bytes)
        {
            Config = manifest.Config is { } config
                ? await ReadAsync(new BlobPath(repository, config.Digest), cancellationToken)
                : null,
            Facts = facts.Facts,
            Referrers = await ReferrersAsync(repository, image.Digest, cancellationToken),
            LastPulled = await PullNotes.LastAsync(_rowStore, repository, image.Digest, cancellationToken),
            NeededBy = await _rowStore.LiveDependentsAsync(repository, image.Digest, cancellationToken),
        };
    }

    /// <summary>Sets a tag on an image; one that another image of the repository has moves.</summary>
    /// <returns>False where the image is gone, or something that it needs.</returns>
    public async Task<bool> TagAsync(StoredImage image, string tag, CancellationToken cancellationToken)
    {
        var path = new BlobPath(image.Repository, image.Digest);
        if (await ReadAsync(path, cancellationToken) is not { } bytes)
        {
            return false;
        }

        var manifest = Manifest.Parse(bytes, image.MediaType);
        var pushed = new PushedManifest(path, bytes, manifest, [tag], Condition: null);
        return (await _push.RunAsync(pushed, cancellationToken)).Count == 0;
    }

    /// <summary>Removes a tag; its image stays. False when there was none.</summary>
    public Task<bool> RemoveTagAsync(Repository repository, string tag, CancellationToken cancellationToken) =>
        _removal.TagAsync(repository, tag, cancellationToken);

    /// <summary>Removes an image, and with it all its tags.</summary>
    /// <exception cref="Storage.StorageHeldException">Storage keeps its bytes: nothing is removed.</exception>
    public async Task<ImageRemoval> RemoveAsync(StoredImage image, CancellationToken cancellationToken)
    {
        var result = await _removal.ImageAsync(image.Repository, image.Digest, cancellationToken);
        return new ImageRemoval(result.Found, result.NeededBy, result.IsPinned);
    }

    /// <summary>Pins an image: it cannot be removed before it is unpinned. Pinning it again renews the pin.</summary>
    /// <returns>False where it is gone, or is no image.</returns>
    public async Task<bool> PinAsync(StoredImage image, CancellationToken cancellationToken)
    {
        var now = DateTimeOffset.FromUnixTimeMilliseconds(_content.Clock.UtcNow.ToUnixTimeMilliseconds());
        var reference = Reference.TryParse($"{image.Repository}@{image.Digest}", out var parsed) ? parsed : null;
        return await _pins.PinAsync(reference!, new ImagePin(now, Autokill: null), cancellationToken) is not null;
    }

    /// <summary>Unpins an image. False where it is gone, or not pinned.</summary>
    public Task<bool> UnpinAsync(StoredImage image, CancellationToken cancellationToken) =>
        _pins.UnpinAsync(image.Repository, image.Digest, cancellationToken);

    private StoredImage Of(Repository repository, ImageRow row, IReadOnlyList<string> tags) =>
        new(repository, row.Digest, row.MediaType, tags)
        {
            Size = row.Size,
            IsImage = row.IsImage,
            Pushed = row.Committed,
            IsPinned = row.Pin?.HoldsAt(_content.Clock.UtcNow) == true,
        };

    private async Task<IReadOnlyList<string>> TagsAsync(
        Repository repository,
        ImageRow row,
        CancellationToken cancellationToken
    )
    {
        var rows = await _rowStore.RangeAsync(repository.Namespace, Keys.OfApp('t', repository.App), cancellationToken);
        return
        [
            .. rows.Select(TagRow.From)
                .Where(tag => tag.Digest == row.Digest && tag.Generation == row.Generation)
                .Select(tag => tag.Tag),
        ];
    }

    private async Task<byte[]?> ReadAsync(BlobPath path, CancellationToken cancellationToken) =>
        await _rowStore.BlobAsync(path, cancellationToken) is { State: BlobState.Good } blob
            ? await _content.ReadAsync(path, blob.BlobETag, cancellationToken)
            : null;

    private async Task<IReadOnlyList<ImageReferrer>> ReferrersAsync(
        Repository repository,
        Digest subject,
        CancellationToken cancellationToken
    )
    {
        var referrers = new List<ImageReferrer>();
        var range = Keys.Referrers(repository.App, subject);
        foreach (var stored in await _rowStore.RangeAsync(repository.Namespace, range, cancellationToken))
        {
            var row = ReferrerRow.From(stored);
            if (await _rowStore.ImageAsync(repository, row.Digest, cancellationToken) is { State: ImageState.Complete })
            {
                referrers.Add(new ImageReferrer(row.Digest, row.ArtifactType ?? row.MediaType, row.Size));
            }
        }

        return referrers;
    }
}
