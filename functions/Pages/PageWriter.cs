using System.Text;
using ImagesFunctions.Http;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

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
        await response.WriteBodyAsync("text/html; charset=utf-8", Encoding.UTF8.GetBytes(html), context.RequestAborted);
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
