using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Images;

/// <summary><c>/v1/images/digest/…</c> and <c>/v1/images/tag/…</c>: one image.</summary>
internal static class ImageRoute
{
    public static async Task ByDigestAsync(HttpContext context, Access access)
    {
        QueryParameters.DemandNone(context.Request);
        var name = NameOf(context);
        var lists = ImagesAnswer.Lists(context);
        IReadOnlyList<ListedImage> found;
        Reference? reference = null;
        if (Digest.TryParse(name, out var digest))
        {
            found = await lists.FindAsync(access, digest, context.RequestAborted);
        }
        else if ((reference = BatchItem.Parse("digest", name)) is not null)
        {
            var image = await lists.FindAsync(access, [new ListFilter { Digest = reference }], context.RequestAborted);
            found = [.. image.OfType<ListedImage>()];
        }
        else
        {
            throw new ApiException(
                StatusCodes.Status400BadRequest,
                $"The digest '{name}' is malformed: use sha256:<hex>, <user>/<app>@sha256:<hex> or <app>@sha256:<hex>.",
                ErrorNumber.Invalid
            );
        }

        if (!HttpMethods.IsDelete(context.Request.Method))
        {
            await ShowAsync(
                context,
                name,
                found.Count > 0 ? found[0]
                    : reference is null ? null
                    : throw await NotListed.OfAsync(context, access, name, reference)
            );
            return;
        }

        if (reference is null)
        {
            reference = Only(access, name, found);
        }

        await DeleteImageAsync(context, access, name, reference);
    }

    public static async Task ByTagAsync(HttpContext context, Access access)
    {
        QueryParameters.DemandNone(context.Request);
        var name = NameOf(context);
        var tag =
            BatchItem.Parse("tag", name)
            ?? throw new ApiException(
                StatusCodes.Status400BadRequest,
                $"The tag '{name}' {BatchItem.Malformed("tag")}",
                ErrorNumber.Invalid
            );
        if (!HttpMethods.IsDelete(context.Request.Method))
        {
            var found = await ImagesAnswer
                .Lists(context)
                .FindAsync(access, [new ListFilter { Tag = tag }], context.RequestAborted);
            await ShowAsync(context, name, found[0] ?? throw await NotListed.OfAsync(context, access, name, tag));
            return;
        }

        await CheckMayDeleteAsync(context, access, name, tag);
        var removal = context.RequestServices.GetRequiredService<Removal>();
        if (!await removal.TagAsync(tag.Repository, tag.Tag!, context.RequestAborted, access.By))
        {
            throw NoImage(name);
        }

        await WriteDeletedAsync(context, "tag", $"{tag.Repository.DisplayName}:{tag.Tag}");
    }

    private static async Task DeleteImageAsync(HttpContext context, Access access, string name, Reference image)
    {
        await CheckMayDeleteAsync(context, access, name, image);
        var removal = context.RequestServices.GetRequiredService<Removal>();
        var result = await removal.ImageAsync(image.Repository, image.Digest!, context.RequestAborted, access.By);
        if (!result.Found)
        {
            throw NoImage(name);
        }

        if (result.IsPinned)
        {
            throw new ApiException(
                StatusCodes.Status409Conflict,
                $"'{name}' is pinned as {PinnedImage.UuidOf(image.Repository, image.Digest!)}: unpin it first."
            );
        }

        if (result.NeededBy is { } by)
        {
            throw new ApiException(
                StatusCodes.Status409Conflict,
                $"'{name}' is needed by {image.Repository.DisplayName}@{by}: delete that first."
            );
        }

        await WriteDeletedAsync(context, "digest", $"{image.Repository.DisplayName}@{image.Digest}");
    }

    // Official images are visible to all accounts; those of another account, and those that the token may not pull, do not exist
    // for the caller.
    private static async Task CheckMayDeleteAsync(HttpContext context, Access access, string name, Reference image)
    {
        if (access.Owns(image.Repository) && access.MayRead(image.Repository))
        {
            access.Demand(Rights.Delete, image.Repository, image.Repository.DisplayName);
            return;
        }

        var filter = image.Digest is null ? new ListFilter { Tag = image } : new ListFilter { Digest = image };
        var seen = await ImagesAnswer.Lists(context).FindAsync(access, [filter], context.RequestAborted);
        throw seen[0] is null
            ? NoImage(name)
            : new ApiException(
                StatusCodes.Status403Forbidden,
                $"'{name}' is an official image: only the account official may delete it.",
                ErrorNumber.NotAllowed
            );
    }

    private static Reference Only(Access access, string name, IReadOnlyList<ListedImage> found)
    {
        // An official image is visible to other accounts; that they may not delete it is checked later.
        var own = found.Where(i => access.Owns(i.Namespace)).ToList();
        var candidates = own.Count > 0 ? own : [.. found];
        return candidates.Count switch
        {
            0 => throw NoImage(name),
            1 => BatchItem.Parse("digest", $"{candidates[0].Repository}@{name}")!,
            _ => throw new ApiException(
                StatusCodes.Status409Conflict,
                $"Several repositories have '{name}', say which: {string.Join(", ", candidates.Take(10).Select(i => $"{i.Repository}@{name}"))}."
            ),
        };
    }

    private static async Task ShowAsync(HttpContext context, string name, ListedImage? image)
    {
        if (image is null)
        {
            throw NoImage(name);
        }

        var shape = ImageShape.Platform(context);
        if (!ImagesAnswer.IsKnown(context, shape, $"{shape.PinsOver([image])}", image.Hash))
        {
            // The one place that shows what lists leave out.
            var imageRows = context.RequestServices.GetRequiredService<ImageRows>();
            image = HttpMethods.IsHead(context.Request.Method)
                ? image
                : await image.WithAllFactsAsync(imageRows, context.RequestAborted);
            await ImagesAnswer.WriteAsync(context, [new ListPiece(image)], shape);
        }
    }

    private static Task WriteDeletedAsync(HttpContext context, string member, string name) =>
        Envelope.WriteDataAsync(
            context,
            "success",
            message: null,
            "images",
            [name],
            (body, text) =>
            {
                Envelope.WriteObject(body, json => json.WriteString(member, text));
                return ValueTask.CompletedTask;
            }
        );

    // A slash arrives as %2F, and some front ends encode its percent sign again.
    private static string NameOf(HttpContext context) =>
        ((string?)context.Request.RouteValues["reference"] ?? "").Replace(
            "%2F",
            "/",
            StringComparison.OrdinalIgnoreCase
        );

    private static ApiException NoImage(string name) =>
        new(StatusCodes.Status404NotFound, $"No image with name '{name}'", ErrorNumber.NotFound);
}
