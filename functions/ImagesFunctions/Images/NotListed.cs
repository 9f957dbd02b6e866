using ImagesFunctions.Accounts;
using ImagesFunctions.Listing;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Images;

/// <summary>Why a name that the registry may have is in no list.</summary>
internal static class NotListed
{
    /// <summary>404 for a name that no list has; where the registry has it and it is not an image, the message says so and why.</summary>
    /// <param name="context">The request.</param>
    /// <param name="access">What the caller may see: of another account's manifests nothing is said.</param>
    /// <param name="name">The name as it was sent.</param>
    /// <param name="reference">What it means.</param>
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
