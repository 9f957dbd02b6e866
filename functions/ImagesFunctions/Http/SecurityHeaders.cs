using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Http;

/// <summary>What every answer tells a browser: that there is nothing in it to run, to frame or to guess at.</summary>
internal static class SecurityHeaders
{
    // What the API answers is data; a blob may be a page that somebody else wrote.
    private const string NothingRuns = "default-src 'none'; frame-ancestors 'none'";
    private const string OneYear = "max-age=31536000";

    /// <summary>Adds them when the answer begins, where a handler has not set its own.</summary>
    public static void Add(HttpContext context) =>
        context.Response.OnStarting(
            static state =>
            {
                var context = (HttpContext)state;
                var headers = context.Response.Headers;
                headers.XContentTypeOptions = "nosniff";
                headers.TryAdd("Content-Security-Policy", NothingRuns);
                headers.TryAdd("Referrer-Policy", "no-referrer");
                if (context.Request.IsHttps)
                {
                    headers.TryAdd("Strict-Transport-Security", OneYear);
                }

                return Task.CompletedTask;
            },
            context
        );
}
