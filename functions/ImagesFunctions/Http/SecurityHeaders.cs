using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Http;

/// <summary>Middleware: tells browsers not to run, frame or guess at any answer.</summary>
internal sealed class SecurityHeaders(RequestDelegate next)
{
    // Answers are data, and a blob may be a page of an unknown author.
    private const string NothingRuns = "default-src 'none'; frame-ancestors 'none'";
    private const string OneYear = "max-age=31536000";

    public Task InvokeAsync(HttpContext context)
    {
        // When the answer begins, so that the headers of a handler win.
        context.Response.OnStarting(
            static state =>
            {
                Add((HttpContext)state);
                return Task.CompletedTask;
            },
            context
        );
        return next(context);
    }

    private static void Add(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.XContentTypeOptions = "nosniff";
        headers.TryAdd("Content-Security-Policy", NothingRuns);
        headers.TryAdd("Referrer-Policy", "no-referrer");
        if (context.Request.IsHttps)
        {
            headers.TryAdd("Strict-Transport-Security", OneYear);
        }
    }
}
