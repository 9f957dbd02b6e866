using Microsoft.AspNetCore.Http;
using Yarp.ReverseProxy.Forwarder;

namespace ImagesFunctions.FunctionsHost;

/// <summary>The request goes on as it came, with the id by which the worker finds the invocation, and who asked the host.</summary>
internal sealed class ToWorker(string invocationId) : HttpTransformer
{
    public override async ValueTask TransformRequestAsync(
        HttpContext context,
        HttpRequestMessage request,
        string destinationPrefix,
        CancellationToken cancellationToken
    )
    {
        await base.TransformRequestAsync(context, request, destinationPrefix, cancellationToken);
        request.Headers.Host = null;
        request.Headers.TryAddWithoutValidation("x-ms-invocation-id", invocationId);
        request.Headers.TryAddWithoutValidation("X-Forwarded-Host", context.Request.Host.Value);
        request.Headers.TryAddWithoutValidation("X-Forwarded-Proto", context.Request.Scheme);
        request.Headers.TryAddWithoutValidation("X-Forwarded-For", context.Connection.RemoteIpAddress?.ToString());
    }
}

/// <summary>
/// A worker tells its address before it listens there, so the host tries again while the connection is refused: 50 ms, twice
/// as long each time, ten times.
/// </summary>
internal sealed class WhileItStarts : DelegatingHandler
{
    private const int Tries = 10;

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await base.SendAsync(request, cancellationToken);
            }
            catch (HttpRequestException error)
                when (error.HttpRequestError == HttpRequestError.ConnectionError && attempt < Tries)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(25 << attempt), cancellationToken);
            }
        }
    }
}
