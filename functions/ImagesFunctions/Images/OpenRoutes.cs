using System.Security.Cryptography;
using ImagesFunctions.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;
using Scalar.AspNetCore;

namespace ImagesFunctions.Images;

/// <summary>Routes that need no token: health, readiness, the OpenAPI document and its page.</summary>
internal static class OpenRoutes
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    /// <summary>Maps <c>/healthz</c>, <c>/readyz</c>, <c>/openapi.json</c> and <c>/docs</c>.</summary>
    public static void MapOpenRoutes(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapOpen("/healthz", context => TextAsync(context, StatusCodes.Status200OK, "ok\n"));
        endpoints.MapOpen("/readyz", ReadyAsync);
        endpoints.MapDocument();
        endpoints.MapPage();
    }

    private static async Task ReadyAsync(HttpContext context)
    {
        var readiness = context.RequestServices.GetRequiredService<Readiness>();
        var ready = await readiness.IsReadyAsync(context.RequestAborted);
        context.Response.Headers.CacheControl = "no-store";
        await (
            ready
                ? TextAsync(context, StatusCodes.Status200OK, "ready\n")
                : TextAsync(context, StatusCodes.Status503ServiceUnavailable, "not ready\n")
        );
    }

    /// <summary>The OpenAPI document of <c>/v1</c>, written by hand beside this file.</summary>
    private static void MapDocument(this IEndpointRouteBuilder endpoints)
    {
        using var resource = typeof(OpenRoutes).Assembly.GetManifestResourceStream("openapi.json")!;
        var document = new byte[resource.Length];
        resource.ReadExactly(document);
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(document)[..16])}\"");
        endpoints.MapOpen(
            "/openapi.json",
            context =>
            {
                context.Response.Headers.CacheControl = "public, max-age=300";
                // Answers If-None-Match too.
                return Results.Bytes(document, "application/json", entityTag: tag).ExecuteAsync(context);
            }
        );
    }

    /// <summary>A page that shows the document. It loads nothing from other hosts.</summary>
    private static void MapPage(this IEndpointRouteBuilder endpoints) =>
        endpoints
            .MapScalarApiReference(
                "/docs",
                (options, context) =>
                {
                    options.Title = "Images API";
                    options.OpenApiRoutePattern = "/openapi.json";
                    options.DefaultFonts = false;
                    options.Telemetry = false;
                    options.DisableAgent();
                    options.DisableMcp();
                    options.HideDeveloperTools();
                    options.HideClientButton = true;
                    options.Nonce = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));
                    var headers = context.Response.Headers;
                    headers.ContentSecurityPolicy =
                        $"default-src 'none'; script-src 'self' 'nonce-{options.Nonce}'; style-src 'unsafe-inline'; "
                        + "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
                    headers.XContentTypeOptions = "nosniff";
                    headers["Referrer-Policy"] = "no-referrer";
                }
            )
            .WithMetadata(new HttpMethodMetadata(Methods));

    /// <summary>Maps a route that needs no token.</summary>
    /// <param name="endpoints">Where to map it.</param>
    /// <param name="pattern">The route.</param>
    /// <param name="answer">Answers it.</param>
    /// <param name="methods">The methods that it has; null: GET and HEAD.</param>
    public static void MapOpen(
        this IEndpointRouteBuilder endpoints,
        string pattern,
        RequestDelegate answer,
        string[]? methods = null
    ) =>
        endpoints.Map(
            pattern,
            context =>
            {
                Envelope.DemandMethod(context, methods ?? Methods);
                return answer(context);
            }
        );

    private static Task TextAsync(HttpContext context, int status, string text) =>
        Results.Text(text, statusCode: status).ExecuteAsync(context);
}
