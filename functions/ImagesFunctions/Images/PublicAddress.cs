using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Images;

/// <summary>The address of this installation, as clients use it. Behind a front end it is not the one of the request.</summary>
internal static class PublicAddress
{
    /// <summary>
    /// The host, with its port where it has one: the setting <c>PublicHost</c>, else the site's name on Azure, else the request's.
    /// </summary>
    public static string HostOf(HttpContext context) => Configured(context) ?? context.Request.Host.Value ?? "";

    /// <summary>The base address, without a slash at its end. A host that is configured is behind TLS.</summary>
    public static string BaseOf(HttpContext context) =>
        Configured(context) is { } host
            ? $"https://{host}"
            : $"{context.Request.Scheme}://{context.Request.Host.Value}";

    private static string? Configured(HttpContext context)
    {
        var configuration = context.RequestServices.GetRequiredService<IConfiguration>();
        return configuration["PublicHost"] is { Length: > 0 } configured ? configured
            : configuration["WEBSITE_HOSTNAME"] is { Length: > 0 } site ? site
            : null;
    }
}
