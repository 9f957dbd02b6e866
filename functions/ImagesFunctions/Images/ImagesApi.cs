using ImagesFunctions.Accounts;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ImagesFunctions.Images;

/// <summary>
/// The routes of the Images API: below <c>/v1</c> the lists of the first generation and the platform of the later ones, and the
/// control plane, which stands below <c>/controlplane/v1</c> as well, because both have <c>/v1/images</c>.
/// </summary>
internal static class ImagesApi
{
    private static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];
    private static readonly string[] ReadAndPut = [.. Read, HttpMethods.Put];
    private static readonly string[] ReadAndDelete = [.. Read, HttpMethods.Delete];
    private static readonly string[] ReadPinAndUnpin = [.. Read, HttpMethods.Post, HttpMethods.Delete];

    public static void MapImagesApi(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapAuthorized(
            "/v1/images/list",
            (context, access) => ListRoute.ListAsync(context, access, ImageShape.V1),
            Read,
            prefetch: ListRoute.ReadAhead
        );
        endpoints.MapAuthorized("/v1/images", AnswerImagesAsync, ReadPinAndUnpin, prefetch: ListRoute.ReadAhead);
        endpoints.MapAuthorized(
            "/v1/image-store",
            (context, access) => ListRoute.ListAsync(context, access, ImageShape.Platform(context)),
            Read,
            prefetch: ListRoute.ReadAhead
        );

        endpoints.MapAuthorized("/v1/images/digest/{*reference}", ImageRoute.ByDigestAsync, ReadAndDelete);
        endpoints.MapAuthorized("/v1/images/tag/{*reference}", ImageRoute.ByTagAsync, ReadAndDelete);
        endpoints.MapAuthorized("/v1/images/problems", ProblemsRoute.ShowAsync, Read);
        endpoints.MapAuthorized("/v1/images/rules", RulesRoute.AnswerAsync, ReadAndPut);
        endpoints.MapAuthorized("/v1/images/usage", UsageRoute.ShowAsync, Read);
        endpoints.MapAuthorized("/controlplane/v1/images", RepositoriesRoute.ListAsync, Read, ListRoute.ReadAhead);
        foreach (var root in (string[])["", "/controlplane"])
        {
            endpoints.MapAuthorized($"{root}/v1/metros", MetrosRoute.ShowAsync, Read);
            endpoints.MapAuthorized($"{root}/v1/auth", AuthRoute.ShowAsync, Read);
            endpoints.MapOpen($"{root}/v1/auth/signin", AuthRoute.RefuseSigninAsync, [HttpMethods.Post]);
            endpoints.MapOpen($"{root}/v1/auth/check", AuthRoute.RefuseSigninAsync, [HttpMethods.Post]);
        }
    }

    private static Task AnswerImagesAsync(HttpContext context, Access access) =>
        HttpMethods.IsPost(context.Request.Method) ? PinsRoute.PinAsync(context, access)
        : HttpMethods.IsDelete(context.Request.Method) ? PinsRoute.UnpinAsync(context, access)
        : RepositoriesRequest.IsMeantBy(context.Request) ? RepositoriesRoute.ListAsync(context, access)
        : ListRoute.ListAsync(context, access, ImageShape.Platform(context));
}
