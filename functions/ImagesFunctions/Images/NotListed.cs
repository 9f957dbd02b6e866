using ImagesFunctions.Accounts;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Images;

/// <summary>Errors for names that are in no list.</summary>
internal static class NotListed
{
    /// <summary>A 404. Where the registry has a manifest of this name that is not an image, the message says why.</summary>
    /// <param name="context">The request.</param>
    /// <param name="access">What the caller may see: of another account's manifests nothing is said.</param>
    /// <param name="name">The name as it was sent.</param>
    /// <param name="reference">The parsed name.</param>
    public static async Task<ApiException> OfAsync(HttpContext context, Access access, string name, Reference reference)
    {
        var why = access.MayRead(reference.Repository) ? await WhyAsync(context, reference) : null;
        return new ApiException(
            StatusCodes.Status404NotFound,
            $"No image with name '{name}'{(why is null ? "" : $": it is in the registry, but not an image, because {why}")}",
            ErrorNumber.NotFound
        );
    }

    private static async Task<string?> WhyAsync(HttpContext context, Reference reference)
    {
        var rowStore = context.RequestServices.GetRequiredService<RowStore>();
        var row =
            reference.Tag is not null
                ? await rowStore.TaggedImageAsync(reference.Repository, reference.Tag, context.RequestAborted)
            : reference.Digest!.IsSupported
                ? await rowStore.ImageAsync(reference.Repository, reference.Digest, context.RequestAborted)
            : null;
        return row is { State: ImageState.Complete, IsImage: false } ? ImageNote.WhyNot(row) : null;
    }
}
