using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using ImagesFunctions.Images;
using ImagesFunctions.Oci;
using ImagesFunctions.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Boot;

/// <summary>
/// <c>/boot/&lt;repository&gt;/&lt;tag&gt;</c> and <c>/boot/&lt;repository&gt;/@&lt;digest&gt;</c>: the tars from which Unikraft Cloud
/// boots by <c>https+oci://</c>. The first redirects to the second on the same host, which can be cached forever.
/// </summary>
internal static class BootRoute
{
    private const string MediaType = "application/vnd.oci.layout.v1+tar";
    private static readonly string[] s_methods = [HttpMethods.Get, HttpMethods.Head];

    public static void MapBoot(this IEndpointRouteBuilder endpoints) => endpoints.Map("/boot/{*path}", AnswerAsync);

    private static async Task AnswerAsync(HttpContext context)
    {
        var path = (string?)context.Request.RouteValues["path"] ?? "";
        var reference = ReferenceOf(path);
        var logins = context.RequestServices.GetRequiredService<Logins>();
        var access =
            await logins.AccessAsync(context, basic: true)
            ?? (reference?.Repository.Namespace == Repository.Official ? logins.Anonymous(context) : null)
            ?? throw new ApiException(
                StatusCodes.Status401Unauthorized,
                "A valid token is needed: as a Bearer token, or as the password of the account."
            )
            {
                Challenge = "Basic realm=\"ImagesFunctions\"",
            };
        Envelope.DemandMethod(context, s_methods);
        QueryParameters.DemandNone(context.Request);
        if (reference is null)
        {
            throw new ApiException(
                StatusCodes.Status400BadRequest,
                $"The path '{path}' is malformed: use /boot/<user>/<app>/<tag>, or /boot/<app>/<tag> for an official image.",
                ErrorNumber.Invalid
            );
        }

        if (!access.MayRead(reference.Repository))
        {
            throw NoImage(path);
        }

        await (
            reference.Tag is { } tag
                ? RedirectAsync(context, path, reference.Repository, tag)
                : SendAsync(context, path, reference.Repository, reference.Digest!)
        );
    }

    private static Reference? ReferenceOf(string path)
    {
        var slash = path.LastIndexOf('/');
        var (name, last) = slash < 0 ? ("", path) : (path[..slash], path[(slash + 1)..]);
        return BatchItem.Parse(last.StartsWith('@') ? "digest" : "tag", name + Separator(last) + last);
    }

    private static string Separator(string last) => last.StartsWith('@') ? "" : ":";

    private static async Task RedirectAsync(HttpContext context, string path, Repository repository, string tag)
    {
        var images = context.RequestServices.GetRequiredService<BootImages>();
        var digest =
            await images.DigestAsync(
                repository,
                tag,
                IsPull(context),
                () => RequestDeadline.Lift(context),
                context.RequestAborted
            ) ?? throw NoImage(path);
        context.Response.StatusCode = StatusCodes.Status302Found;
        context.Response.Headers.Location = $"/boot/{repository.DisplayName}/@{digest}";
        context.Response.Headers.CacheControl = "private, no-cache";
        context.Response.ContentLength = 0;
    }

    private static async Task SendAsync(HttpContext context, string path, Repository repository, Digest digest)
    {
        var images = context.RequestServices.GetRequiredService<BootImages>();
        var tar =
            await images.TarAsync(repository, digest, IsPull(context), context.RequestAborted) ?? throw NoImage(path);
        var (request, response) = (context.Request, context.Response);
        var etag = $"\"{digest}\"";
        response.Headers.ETag = etag;
        response.Headers.AcceptRanges = "bytes";
        // Private, because it needs a token; immutable, because a digest names it.
        response.Headers.CacheControl = "private, max-age=31536000, immutable, no-transform";
        if (request.IsKnown(digest))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        if (!RangeRequest.TryRead(request, response, tar.Length, etag, out var range))
        {
            throw new ApiException(
                StatusCodes.Status416RangeNotSatisfiable,
                $"The tar has {tar.Length} bytes, and none in this range."
            );
        }

        RangeRequest.Begin(response, range, tar.Length);
        response.ContentType = MediaType;
        if (!HttpMethods.IsHead(request.Method))
        {
            RequestDeadline.Lift(context);
            await images.CopyAsync(
                tar,
                range?.First ?? 0,
                range?.Length ?? tar.Length,
                piece => response.SendPieceAsync(piece, context.RequestAborted),
                context.RequestAborted
            );
        }
    }

    private static bool IsPull(HttpContext context) => !HttpMethods.IsHead(context.Request.Method);

    private static ApiException NoImage(string path) =>
        new(StatusCodes.Status404NotFound, $"No image to boot at '{path}'", ErrorNumber.NotFound);
}
