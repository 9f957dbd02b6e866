using ImagesFunctions.Accounts;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Pages;

/// <summary><c>/browse/delete/…</c>: asks, with what else would go, and deletes.</summary>
internal static class DeleteForm
{
    private const string Pinned = "It is pinned: unpin it first, by the Images API.";
    private const int MaxReferrers = 100;

    /// <summary>Answers.</summary>
    public static async Task AnswerAsync(PageRequest request)
    {
        if (
            !Reference.TryParse(request.Rest, out var named)
            || !request.Viewer.Access.Owns(named.Repository)
            || !request.Viewer.Access.MayRead(named.Repository)
        )
        {
            throw PageException.NotFound();
        }

        request.Viewer.Access.Demand(Rights.Delete, named.Repository, named.Repository.DisplayName);
        var form = request.IsPost ? await Forms.ReadAsync(request.Http, request.Viewer) : null;
        var (reference, row) = await ShowImage.FindAsync(request);
        if (form is null)
        {
            await request.WriteAsync<DeletePage>(
                reference.Tag is { } tag ? OfTag(request, reference, tag) : await OfImageAsync(request, reference, row)
            );
            return;
        }

        await DeleteAsync(request, reference);
        PageWriter.SeeOther(request.Http, $"{BrowsePaths.Of(reference.Repository)}?{ShowRepository.Deleted}=1");
    }

    private static async Task DeleteAsync(PageRequest request, Reference reference)
    {
        var removal = request.Http.RequestServices.GetRequiredService<Removal>();
        if (reference.Tag is { } tag)
        {
            if (!await removal.TagAsync(reference.Repository, tag, request.Stop, request.Viewer.Access.By))
            {
                throw PageException.NotFound();
            }

            return;
        }

        var result = await removal.ImageAsync(
            reference.Repository,
            reference.Digest!,
            request.Stop,
            request.Viewer.Access.By
        );
        if (!result.Found)
        {
            throw PageException.NotFound();
        }

        if (result.IsPinned || result.NeededBy is not null)
        {
            throw new PageException(
                StatusCodes.Status409Conflict,
                result.IsPinned ? Pinned : $"{result.NeededBy} needs it: delete that first."
            );
        }
    }

    private static DeleteView OfTag(PageRequest request, Reference reference, string tag) =>
        new(
            $"{reference.Repository.DisplayName}:{tag}",
            BrowsePaths.OfTag(reference.Repository, tag),
            request.Http.Request.Path,
            IsTag: true,
            Obstacle: "",
            ObstaclePath: "",
            Tags: [],
            Manifests: [],
            Blobs: null,
            Bytes: 0,
            Referrers: 0
        );

    private static async Task<DeleteView> OfImageAsync(PageRequest request, Reference reference, ImageRow row)
    {
        var services = request.Http.RequestServices;
        var repository = reference.Repository;
        var list = await services
            .GetRequiredService<NamespaceLists>()
            .CurrentAsync(repository.Namespace, repository.App, request.Stop);
        var preview = await services
            .GetRequiredService<RemovalPreviews>()
            .OfAsync(
                repository,
                row,
                digest => list.Find(Keys.Image(repository.App, digest))?.Tags.Count > 0,
                request.Stop
            );
        var referrers = await services
            .GetRequiredService<ReferrerReads>()
            .OfAsync(repository, row.Digest, "", request.Stop)
            .Take(MaxReferrers)
            .CountAsync(request.Stop);
        var isPinned = row.Pin?.HoldsAt(services.GetRequiredService<StorageClock>().UtcNow) == true;
        return new DeleteView(
            $"{repository.DisplayName}@{row.Digest}",
            BrowsePaths.Of(repository, row.Digest.ToString()),
            request.Http.Request.Path,
            IsTag: false,
            isPinned ? Pinned
                : preview.NeededBy is { } by ? $"{by} needs it: delete that first."
                : "",
            preview.NeededBy is { } needed ? BrowsePaths.Of(repository, needed.ToString()) : "",
            list.Find(Keys.Image(repository.App, row.Digest))?.Tags ?? [],
            [
                .. preview.Children.Select(c => new NamedPath(
                    Texts.Short(c.ToString()),
                    BrowsePaths.Of(repository, c.ToString())
                )),
            ],
            preview.IsWhole ? preview.Blobs.Count : null,
            preview.Bytes,
            referrers
        );
    }
}
