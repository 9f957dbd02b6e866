using ImagesFunctions.Boot;
using ImagesFunctions.Images;
using ImagesFunctions.Registry;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ImagesFunctions;

/// <summary>All routes. Both hosts run exactly these, so that a new one is one line in the file of its area.</summary>
public static class ImagesPipeline
{
    /// <summary>Maps every route, and one for all that match no other.</summary>
    public static IEndpointRouteBuilder MapImages(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapOpenRoutes();
        endpoints.MapImagesApi();
        endpoints.MapRegistryApi();
        endpoints.MapBoot();
        endpoints.MapAuthorized(
            "/",
            (context, _) => throw new ApiException(StatusCodes.Status401Unauthorized, "There is nothing here.")
        );
        endpoints.MapAuthorized(
            "{*path}",
            (context, _) =>
                throw new ApiException(StatusCodes.Status404NotFound, $"There is no route '{context.Request.Path}'")
        );
        return endpoints;
    }
}
