using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using ImagesFunctions.Oci;
using ImagesFunctions.Telemetry;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Registry;

/// <summary>The OCI Distribution API below <c>/v2</c>: authenticates, parses the path, and finds the handler.</summary>
internal static class RegistryApi
{
    public static void MapRegistryApi(this IEndpointRouteBuilder endpoints) =>
        endpoints.Map("/v2/{*path}", ServeAsync).WithMetadata(RegistryErrors.Format);

    private static async Task ServeAsync(HttpContext context)
    {
        context.Response.Headers["Docker-Distribution-API-Version"] = "registry/2.0";
        var logins = context.RequestServices.GetRequiredService<Logins>();
        var named = RegistryPath.Of(context);
        var access =
            await logins.AccessAsync(context, basic: true, (http, account) => FirstRow.Begin(http, account, named))
            ?? (IsOfficialPull(context, named) ? logins.Anonymous(context) : null)
            ?? throw new RegistryError(
                StatusCodes.Status401Unauthorized,
                "UNAUTHORIZED",
                "A valid token is needed: log in with the account as the user and its token as the password."
            );
        var path = named ?? throw RegistryError.NameUnknown(context.Request.Path);
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
                await services.GetRequiredService<RepositoryCatalog>().ListAsync(context, access);
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

        var request = new RegistryRequest(context, access, path, repository);
        await AnswerAsync(services, request);
    }

    // What may be read without a login, where that is allowed at all. Sessions of pushes are not.
    private static bool IsOfficialPull(HttpContext context, RegistryPath? path) =>
        Access.IsSafe(context.Request.Method)
        && path is { Resource: Resource.Blob or Resource.Manifest or Resource.Tags or Resource.Referrers }
        && Repository.TryParseDisplayName(path.Name, out var repository)
        && repository.Namespace == Repository.Official;

    private static Task AnswerAsync(IServiceProvider services, RegistryRequest request)
    {
        var endpoints = Endpoints.Of(request.Path.Resource);
        var method = DemandMethod(request.Http, [.. endpoints.Select(e => e.Method)]);
        var endpoint = endpoints.First(e => e.Method == method);
        // Refused before the body is read, and without a look at what exists.
        if (endpoint.Right != Rights.Pull)
        {
            request.Access.Demand(endpoint.Right, request.Repository, request.Path.Name);
        }

        if (endpoint.IsTransfer)
        {
            RequestDeadline.Lift(request.Http);
        }

        return endpoint.Handler(services, request);
    }

    private static string DemandMethod(HttpContext context, params string[] methods)
    {
        var method = context.Request.Method;
        if (!Answers.HasMethod(context, methods))
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
