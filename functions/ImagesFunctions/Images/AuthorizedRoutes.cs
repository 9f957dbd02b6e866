using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Images;

/// <summary>Routes that need a token and answer in the envelope of the Images API.</summary>
internal static class AuthorizedRoutes
{
    /// <summary>
    /// Maps a route of the Images API for every method: it answers 401 without a valid token, and 405 to the methods that it
    /// does not have.
    /// </summary>
    /// <param name="endpoints">Where to map it.</param>
    /// <param name="pattern">The route.</param>
    /// <param name="handle">Gets the request and what its caller may do.</param>
    /// <param name="methods">The methods that it has; null: all of them.</param>
    /// <param name="prefetch">Starts reads while the token is read: see <see cref="Logins.AuthenticateAsync"/>.</param>
    public static void MapAuthorized(
        this IEndpointRouteBuilder endpoints,
        string pattern,
        Func<HttpContext, Access, Task> handle,
        string[]? methods = null,
        Action<HttpContext, string>? prefetch = null
    ) =>
        endpoints
            .Map(
                pattern,
                async context =>
                {
                    var access = await AccessAsync(context, prefetch);
                    if (methods is not null)
                    {
                        Envelope.DemandMethod(context, methods, " A body can go with GET: curl -X GET -d '…'.");
                        access.DemandMethod(context.Request.Method);
                    }

                    await handle(context, access);
                }
            )
            .WithMetadata(CompressedAnswer.Metadata);

    private static async Task<Access> AccessAsync(HttpContext context, Action<HttpContext, string>? prefetch) =>
        await context.RequestServices.GetRequiredService<Logins>().AccessAsync(context, basic: false, prefetch)
        ?? throw new ApiException(
            StatusCodes.Status401Unauthorized,
            "A valid token is needed: send the header Authorization: Bearer <token>."
        );
}
