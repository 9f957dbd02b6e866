using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using ImagesFunctions.Oci;
using ImagesFunctions.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Registry;

/// <summary>The OCI Distribution API below <c>/v2</c>: who asks, for what, and which file answers.</summary>
internal static class RegistryApi
{
    public static void MapRegistryApi(this IEndpointRouteBuilder endpoints) =>
        endpoints.Map("/v2/{*path}", context => RegistryErrors.GuardAsync(context, () => ServeAsync(context)));

    private static async Task ServeAsync(HttpContext context)
    {
        context.Response.Headers["Docker-Distribution-API-Version"] = "registry/2.0";
        var caller =
            await context.RequestServices.GetRequiredService<Logins>().CallerAsync(context, basic: true)
            ?? throw new RegistryError(
                StatusCodes.Status401Unauthorized,
                "UNAUTHORIZED",
                "A valid token is needed: log in with the account as the user and its token as the password."
            );
        // The framework's own path leaves %2F as it is, and %252F too: which was which shows only here.
        var target = context.Features.Get<IHttpRequestFeature>()?.RawTarget;
        var path =
            RegistryPath.Parse(target is ['/', ..] ? target : context.Request.Path.ToString())
            ?? throw RegistryError.NameUnknown(context.Request.Path);
        Metrics.SetRoute(context, path.Route);
        var services = context.RequestServices;
        switch (path.Resource)
        {
            case Resource.Base:
                DemandMethod(context, HttpMethods.Get, HttpMethods.Head);
                await context.Response.WriteBodyAsync("application/json", "{}"u8.ToArray(), context.RequestAborted);
                return;
            case Resource.Catalog:
                DemandMethod(context, HttpMethods.Get, HttpMethods.Head);
                await services.GetRequiredService<RepositoryCatalog>().ListAsync(context, caller);
                return;
        }

        if (
            path.Name.Length + 1 + (context.Request.Host.Value?.Length ?? 0) > Repository.MaxName
            || !Repository.TryParseDisplayName(path.Name, out var repository)
        )
        {
            throw new RegistryError(
                StatusCodes.Status400BadRequest,
                "NAME_INVALID",
                "This is no name of a repository, or with the host it is longer than 255 characters.",
                path.Name
            );
        }

        var request = new RegistryRequest(context, caller, path, repository);
        await Handler(services, request)(request);
    }

    // The table of contents of the spec's "Endpoints".
    private static Func<RegistryRequest, Task> Handler(IServiceProvider services, RegistryRequest request) =>
        request.Path.Resource switch
        {
            Resource.Blob => ByMethod(
                request,
                (HttpMethods.Get, services.GetRequiredService<Blobs>().GetAsync),
                (HttpMethods.Head, services.GetRequiredService<Blobs>().GetAsync),
                (HttpMethods.Delete, services.GetRequiredService<Blobs>().DeleteAsync)
            ),
            Resource.Uploads => ByMethod(request, (HttpMethods.Post, services.GetRequiredService<Uploads>().PostAsync)),
            Resource.Upload => ByMethod(
                request,
                (HttpMethods.Get, services.GetRequiredService<Uploads>().GetAsync),
                (HttpMethods.Patch, services.GetRequiredService<Uploads>().PatchAsync),
                (HttpMethods.Put, services.GetRequiredService<Uploads>().PutAsync),
                (HttpMethods.Delete, services.GetRequiredService<Uploads>().DeleteAsync)
            ),
            Resource.Manifest => ByMethod(
                request,
                (HttpMethods.Get, services.GetRequiredService<Manifests>().GetAsync),
                (HttpMethods.Head, services.GetRequiredService<Manifests>().GetAsync),
                (HttpMethods.Put, services.GetRequiredService<Manifests>().PutAsync),
                (HttpMethods.Delete, services.GetRequiredService<Manifests>().DeleteAsync)
            ),
            Resource.Tags => ByMethod(
                request,
                (HttpMethods.Get, services.GetRequiredService<Tags>().ListAsync),
                (HttpMethods.Head, services.GetRequiredService<Tags>().ListAsync)
            ),
            _ => ByMethod(
                request,
                (HttpMethods.Get, services.GetRequiredService<Referrers>().ListAsync),
                (HttpMethods.Head, services.GetRequiredService<Referrers>().ListAsync)
            ),
        };

    private static Func<RegistryRequest, Task> ByMethod(
        RegistryRequest request,
        params (string Method, Func<RegistryRequest, Task> Handle)[] handlers
    )
    {
        var method = DemandMethod(request.Http, [.. handlers.Select(h => h.Method)]);
        // What a caller may not change is refused here, whatever it is and whether it exists or not.
        if (!HttpMethods.IsGet(method) && !HttpMethods.IsHead(method))
        {
            request.DemandWrite();
        }

        if (request.Path.Resource is Resource.Uploads or Resource.Upload)
        {
            RequestDeadline.Lift(request.Http);
        }

        return handlers.First(h => h.Method == method).Handle;
    }

    private static string DemandMethod(HttpContext context, params string[] methods)
    {
        var method = context.Request.Method;
        if (!Requests.HasMethod(context, methods))
        {
            throw new RegistryError(
                StatusCodes.Status405MethodNotAllowed,
                "UNSUPPORTED",
                $"This has no method {method}, only {string.Join(", ", methods)}."
            );
        }

        return method;
    }
}
