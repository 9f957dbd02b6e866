using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Yarp.ReverseProxy.Forwarder;

namespace ImagesFunctions.Tests.Histories;

/// <summary>
/// Stands between servers, which are processes of their own, and storage: now and then a request is answered 503, its connection is
/// cut, it takes longer, or it takes effect and its answer is lost.
/// </summary>
internal sealed class FaultProxy : IAsyncDisposable
{
    private static readonly TimeSpan s_longestDelay = TimeSpan.FromMilliseconds(60);
    private static readonly TimeSpan s_staleFor = TimeSpan.FromSeconds(5);

    private readonly WebApplication _app;
    private readonly HttpMessageInvoker _network = new(
        new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }
    );
    private readonly ConcurrentDictionary<string, (byte[] Body, Dictionary<string, string> Headers, long At)> _old =
        new();
    private readonly string _to;
    private int _faults;

    private FaultProxy(WebApplication app, string to) => (_app, _to) = (app, to);

    private enum Fate
    {
        Passes,
        Busy,
        Cut,
        AnswerLost,
        Late,
    }

    /// <summary>One in so many requests has another fate than to pass; 0: none.</summary>
    public int OneIn { get; set; }

    /// <summary>Whether the row <c>v</c> of a namespace is answered as it was seconds ago: a fault that no storage has.</summary>
    public bool AnswersOldVersions { get; set; }

    /// <summary>How many requests had another fate.</summary>
    public int Faults => _faults;

    /// <summary>Where it listens.</summary>
    public string Address => _app.Urls.Single();

    /// <summary>Starts one.</summary>
    /// <param name="to">The service behind it, such as <c>http://127.0.0.1:10000</c>.</param>
    public static async Task<FaultProxy> StartAsync(string to)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrel(kestrel =>
        {
            kestrel.Listen(IPAddress.Loopback, 0);
            kestrel.Limits.MaxRequestBodySize = null;
        });
        builder.Services.AddHttpForwarder();
        var app = builder.Build();
        var proxy = new FaultProxy(app, to);
        app.Run(proxy.HandleAsync);
        await app.StartAsync(TestContext.Current.CancellationToken);
        return proxy;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _network.Dispose();
    }

    private async Task HandleAsync(HttpContext context)
    {
        if (AnswersOldVersions && context.Request.Method == "GET" && IsVersion(context.Request))
        {
            await AnswerOldAsync(context);
            return;
        }

        var fate = Any();
        switch (fate)
        {
            case Fate.Busy:
                context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
                context.Response.Headers["x-ms-error-code"] = "ServerBusy";
                return;
            case Fate.Cut:
                context.Abort();
                return;
            case Fate.Late:
                await Task.Delay(s_longestDelay * Random.Shared.NextDouble(), context.RequestAborted);
                break;
        }

        await ForwardAsync(context, fate == Fate.AnswerLost ? LosesAnswer.Instance : Passes.Instance);
    }

    private Fate Any()
    {
        if (OneIn == 0 || Random.Shared.Next(OneIn) > 0)
        {
            return Fate.Passes;
        }

        Interlocked.Increment(ref _faults);
        return (Fate)Random.Shared.Next(1, 5);
    }

    private async Task ForwardAsync(HttpContext context, HttpTransformer transformer) =>
        await context
            .RequestServices.GetRequiredService<IHttpForwarder>()
            .SendAsync(context, _to, _network, ForwarderRequestConfig.Empty, transformer);

    private static bool IsVersion(HttpRequest request) =>
        request.Path.Value!.EndsWith(",RowKey='v')", StringComparison.Ordinal);

    // From memory, until that is seconds old.
    private async Task AnswerOldAsync(HttpContext context)
    {
        var path = context.Request.Path.Value!;
        if (!_old.TryGetValue(path, out var old) || TimeProvider.System.GetElapsedTime(old.At) > s_staleFor)
        {
            var body = context.Response.Body;
            using var copy = new MemoryStream();
            context.Response.Body = copy;
            await ForwardAsync(context, Passes.Instance);
            context.Response.Body = body;
            var headers = context.Response.Headers.ToDictionary(h => h.Key, h => h.Value.ToString());
            old = (copy.ToArray(), headers, TimeProvider.System.GetTimestamp());
            if (context.Response.StatusCode == StatusCodes.Status200OK)
            {
                _old[path] = old;
            }
        }
        else
        {
            foreach (var (name, value) in old.Headers)
            {
                context.Response.Headers[name] = value;
            }
        }

        await context.Response.Body.WriteAsync(old.Body, context.RequestAborted);
    }

    // Path, query, headers and body as they came: they are signed.
    private class Passes : HttpTransformer
    {
        public static Passes Instance { get; } = new();

        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext,
            HttpRequestMessage proxyRequest,
            string destinationPrefix,
            CancellationToken cancellationToken
        )
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            var target = httpContext.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;
            proxyRequest.RequestUri = new Uri(destinationPrefix + target);
        }
    }

    private sealed class LosesAnswer : Passes
    {
        public static new LosesAnswer Instance { get; } = new();

        public override ValueTask<bool> TransformResponseAsync(
            HttpContext httpContext,
            HttpResponseMessage? proxyResponse,
            CancellationToken cancellationToken
        )
        {
            httpContext.Abort();
            return ValueTask.FromResult(false);
        }
    }
}
