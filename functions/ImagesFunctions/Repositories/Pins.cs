using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>Pins images, so that nothing but an unpin lets them be removed.</summary>
internal sealed class Pins(StorageAccount account, RowStore rowStore)
{
    /// <summary>Pins the image that a reference names at the moment of the commit. Again renews the pin.</summary>
    /// <returns>Its row; null when there is no such image, or it is not complete.</returns>
    public Task<ImageRow?> PinAsync(Reference reference, ImagePin pin, CancellationToken cancellationToken) =>
        rowStore.CommitAsync(
            reference.Repository.Namespace,
            async (view, stop) =>
            {
                if (await ImageAsync(view, reference, stop) is not { State: ImageState.Complete, IsImage: true } image)
                {
                    return Decision.Nothing<ImageRow?>(null);
                }

                var pinned = image with { Pin = pin };
                return Decision.Of<ImageRow?>(pinned, [Changed(pinned)]);
            },
            cancellationToken
        );

    /// <summary>Takes the pin off an image.</summary>
    /// <returns>False when there is no such image, or it has no pin.</returns>
    public Task<bool> UnpinAsync(Repository repository, Digest digest, CancellationToken cancellationToken) =>
        rowStore.CommitAsync(
            repository.Namespace,
            async (view, stop) =>
                ImageRow.Live(await view.GetAsync(Keys.Image(repository.App, digest), stop)) is { Pin: not null } image
                    ? Decision.Of(true, [Changed(image with { Pin = null })])
                    : Decision.Nothing(false),
            cancellationToken
        );

    /// <summary>The pinned images of a namespace. Reads three columns of every image row: an unpin is rare.</summary>
    public async Task<IReadOnlyList<(Repository Repository, Digest Digest)>> AllAsync(
        string @namespace,
        CancellationToken cancellationToken
    )
    {
        var pinned = new List<(Repository, Digest)>();
        var rows = account.ImageRows.Stream(@namespace, Keys.All('i'), ImagePin.Columns);
        await foreach (var row in rows.WithCancellation(cancellationToken))
        {
            if (ImagePin.IsIn(row) && Repository.TryParse($"{@namespace}/{row.Text("app")}", out var repository))
            {
                pinned.Add((repository, ImageRow.Parse(row.Text("digest"))));
            }
        }

        return pinned;
    }

    private static async Task<ImageRow?> ImageAsync(
        DecisionView view,
        Reference reference,
        CancellationToken cancellationToken
    )
    {
        var (app, digest, generation) = (reference.Repository.App, reference.Digest, (string?)null);
        if (reference.Tag is not null)
        {
            if (await view.GetAsync(Keys.Tag(app, reference.Tag), cancellationToken) is not { } stored)
            {
                return null;
            }

            var tag = TagRow.From(stored);
            (digest, generation) = (tag.Digest, tag.Generation);
        }

        var image = ImageRow.Live(await view.GetAsync(Keys.Image(app, digest!), cancellationToken));
        // A tag that names another generation is what a removed image has left.
        return reference.Tag is null || image?.Generation == generation ? image : null;
    }

    private static Change Changed(ImageRow image) => new(image.Key, image.ToRow());
}
