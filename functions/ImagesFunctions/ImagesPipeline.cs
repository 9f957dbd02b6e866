using ImagesFunctions.Boot;
using ImagesFunctions.Http;
using ImagesFunctions.Images;
using ImagesFunctions.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions;

/// <summary>The middleware that a request passes, in order, and all routes. Each area maps its own in one file.</summary>
internal static class ImagesPipeline
{
    /// <summary>Builds the pipeline.</summary>
    public static RequestDelegate Build(IServiceProvider services)
    {
        var app = new ApplicationBuilder(services);
        app.UseMiddleware<RequestLog>();
        app.UseMiddleware<SecurityHeaders>();
        app.Use(WithoutEndpoint);
        app.UseRouting();
        // Around the guard, so that errors are compressed as well.
        app.UseWhen(CompressedAnswer.IsWantedBy, compressed => compressed.UseResponseCompression());
        app.UseMiddleware<ErrorGuard>(Envelope.Errors);
        app.UseEndpoints(endpoints => MapRoutes(endpoints, services));
        return app.Build();
    }

    // The Functions worker has already chosen the function as the endpoint, and routing keeps an endpoint that is set.
    private static RequestDelegate WithoutEndpoint(RequestDelegate next) =>
        context =>
        {
            context.SetEndpoint(null);
            context.Request.RouteValues.Clear();
            return next(context);
        };

    private static void MapRoutes(IEndpointRouteBuilder endpoints, IServiceProvider services)
    {
        foreach (var more in services.GetServices<IMoreRoutes>())
        {
            more.Map(endpoints);
        }

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
    }
}
