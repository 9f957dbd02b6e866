using System.Security.Cryptography;
using System.Text;
using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Net.Http.Headers;

namespace ImagesFunctions.Pages;

/// <summary>
/// Renders a component as the answer. Components get all that they show as parameters and use no service, so the renderer needs none
/// of the services of Razor components either, which would be made when the host starts.
/// </summary>
internal static class PageWriter
{
    // No other host, nothing inline: what a page shows was written by others.
    private const string Policy =
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    /// <summary>Answers with a page.</summary>
    /// <param name="context">The request.</param>
    /// <param name="status">The HTTP status.</param>
    /// <param name="parameters">The parameters of the component.</param>
    public static async Task WriteAsync<TPage>(
        HttpContext context,
        int status,
        params (string Name, object? Value)[] parameters
    )
        where TPage : IComponent
    {
        var services = context.RequestServices;
        var values = parameters.ToDictionary(p => p.Name, p => p.Value, StringComparer.Ordinal);
        await using var renderer = new HtmlRenderer(services, services.GetRequiredService<ILoggerFactory>());
        var html = await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var page = await renderer.RenderComponentAsync<TPage>(ParameterView.FromDictionary(values));
            return page.ToHtmlString();
        });
        var response = context.Response;
        response.StatusCode = status;
        response.Headers.ContentSecurityPolicy = Policy;
        // It is of one viewer, and the next one at the same screen must not see it.
        response.Headers.CacheControl = "no-store";
        var body = Encoding.UTF8.GetBytes(html);
        if (status == StatusCodes.Status200OK && Access.IsSafe(context.Request.Method) && IsKnown(context, body))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        await response.WriteBodyAsync("text/html; charset=utf-8", body, context.RequestAborted);
    }

    // Whether a page that asks again for itself is still what it was (RFC 9110, section 13.1.2). What is shown says it, and so it is
    // the same of every instance.
    private static bool IsKnown(HttpContext context, byte[] body)
    {
        var etag = new EntityTagHeaderValue(
            $"\"{Convert.ToHexStringLower(SHA256.HashData(body).AsSpan(0, 16))}\"",
            isWeak: true
        );
        context.Response.Headers.ETag = etag.ToString();
        return context.Request.IsKnown(etag);
    }

    /// <summary>Sends the browser to another page, which it asks for by GET (RFC 9110, section 15.4.4).</summary>
    public static void SeeOther(HttpContext context, string location)
    {
        context.Response.StatusCode = StatusCodes.Status303SeeOther;
        context.Response.Headers.Location = location;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentLength = 0;
    }
}
