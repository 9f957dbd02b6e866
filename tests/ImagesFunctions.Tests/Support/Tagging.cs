using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Support;

/// <summary>
/// Sets tags on committed images with one decision and no other call, which a push of a manifest does among others: for tests that
/// interleave it with something else, or have rows without blobs.
/// </summary>
internal sealed class Tagging(RowStore rowStore)
{
    /// <summary>Points a tag to an image of the repository, whatever it pointed to before. False when there is no such image.</summary>
    public Task<bool> SetAsync(Repository repository, string tag, Digest digest, CancellationToken cancellationToken) =>
        rowStore.CommitAsync(
            repository.Namespace,
            async (view, stop) =>
            {
                if (ImageRow.Live(await view.GetAsync(Keys.Image(repository.App, digest), stop)) is not { } image)
                {
                    return Decision.Nothing(false);
                }

                var row = new TagRow(repository.App, tag, digest, image.Generation, FromLayout: false);
                return Decision.Of(true, [new Change(row.Key, row.ToRow())]);
            },
            cancellationToken
        );
}
