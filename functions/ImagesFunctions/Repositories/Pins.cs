using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Policy;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Repositories;

/// <summary>Pins images: a pinned image cannot be removed before it is unpinned.</summary>
internal sealed class Pins(StorageAccount account, RowStore rowStore)
{
    /// <summary>Pins the image that a reference names at the moment of the commit. Pinning it again renews the pin.</summary>
    /// <param name="reference">The reference.</param>
    /// <param name="pin">The pin.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <param name="by">Who pins it, for the log; null where nobody is known.</param>
    /// <returns>Its row; null when there is no such image or it is not complete.</returns>
    public Task<ImageRow?> PinAsync(
        Reference reference,
        ImagePin pin,
        CancellationToken cancellationToken,
        Author? by = null
    ) =>
        rowStore.CommitAsync(
            reference.Repository.Namespace,
            async (view, stop) =>
            {
                var app = reference.Repository.App;
                var found = reference.Tag is { } tag
                    ? await view.TaggedImageAsync(app, tag, stop)
                    : await view.ImageAsync(app, reference.Digest!, stop);
                if (found is not { State: ImageState.Complete, IsImage: true } image)
                {
                    return Decision.Nothing<ImageRow?>(null);
                }

                var pinned = image with { Pin = pin };
                return Decision.Of<ImageRow?>(pinned, [Changed(pinned)]) with { By = by?.Text };
            },
            cancellationToken
        );

    /// <summary>Unpins an image.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="digest">The image's digest.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <param name="by">Who unpins it, for the log; null where nobody is known.</param>
    /// <returns>False when there is no such image or it is not pinned.</returns>
    public Task<bool> UnpinAsync(
        Repository repository,
        Digest digest,
        CancellationToken cancellationToken,
        Author? by = null
    ) =>
        rowStore.CommitAsync(
            repository.Namespace,
            async (view, stop) =>
                await view.ImageAsync(repository.App, digest, stop) is { Pin: not null } image
                    ? Decision.Of(true, [Changed(image with { Pin = null })]) with
                    {
                        By = by?.Text,
                    }
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

    private static Change Changed(ImageRow image) => new(image.Key, image.ToRow());
}
