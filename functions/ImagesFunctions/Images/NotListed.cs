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
    /// <param name="account">Who asks: of another account's manifests nothing is said.</param>
    /// <param name="name">The name as it was sent.</param>
    /// <param name="reference">What it means.</param>
    public static async Task<ApiException> OfAsync(
        HttpContext context,
        string account,
        string name,
        Reference reference
    )
    {
        var (ns, app) = (reference.Repository.Namespace, reference.Repository.App);
        var why =
            ns == account || ns == Repository.Official
                ? await WhyAsync(context.RequestServices.GetRequiredService<RowStore>(), ns, app, reference, context)
                : null;
        return new ApiException(
            StatusCodes.Status404NotFound,
            $"No image with name '{name}'{(why is null ? "" : $": it is in the registry, but not an image, because {why}")}",
            ErrorNumber.NotFound
        );
    }

    private static async Task<string?> WhyAsync(
        RowStore rowStore,
        string @namespace,
        string app,
        Reference reference,
        HttpContext context
    )
    {
        var (digest, generation) = (reference.Digest, (string?)null);
        if (reference.Tag is not null)
        {
            var stored = await rowStore.GetAsync(@namespace, Keys.Tag(app, reference.Tag), context.RequestAborted);
            if (stored is null)
            {
                return null;
            }

            var tag = TagRow.From(stored);
            (digest, generation) = (tag.Digest, tag.Generation);
        }

        return
            digest!.IsSupported
            && await rowStore.ImageAsync(reference.Repository, digest, context.RequestAborted)
                is { State: ImageState.Complete, IsImage: false } row
            && (reference.Tag is null || row.Generation == generation)
            ? ImageNote.WhyNot(row)
            : null;
    }
}
