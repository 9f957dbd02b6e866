using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ImagesFunctions.Images;

/// <summary>The routes of the Images API below <c>/v1</c>: lists in the shape of the first generation and of the later ones.</summary>
internal static class ImagesApi
{
    private static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];
    private static readonly string[] ReadAndDelete = [.. Read, HttpMethods.Delete];

    public static void MapImagesApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapAuthorized(
            "/v1/images/list",
            (context, account) => ListRoute.ListAsync(context, account, ImageShape.V1),
            Read,
            prefetch: ListRoute.ReadAhead
        );
        foreach (var route in (string[])["/v1/images", "/v1/image-store"])
        {
            endpoints.MapAuthorized(
                route,
                (context, account) => ListRoute.ListAsync(context, account, ImageShape.Platform(context)),
                Read,
                prefetch: ListRoute.ReadAhead
            );
        }

        endpoints.MapAuthorized("/v1/images/digest/{*reference}", ImageRoute.ByDigestAsync, ReadAndDelete);
        endpoints.MapAuthorized("/v1/images/tag/{*reference}", ImageRoute.ByTagAsync, ReadAndDelete);
        endpoints.MapAuthorized("/v1/images/problems", ProblemsRoute.ShowAsync, Read);
    }
}
