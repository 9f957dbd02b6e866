using System.Collections.Concurrent;
using System.Text;
using ImagesFunctions.Local;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Operation;

/// <summary>Takes what is sent by OTLP over HTTP, and keeps the bytes.</summary>
internal sealed class Collector : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, string> _got = new(StringComparer.Ordinal);
    private readonly WebApplication _app;

    private Collector()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRoutingCore();
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        _app = builder.Build();
        _app.Run(async context =>
        {
            using var body = new MemoryStream();
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            var text = Encoding.Latin1.GetString(body.ToArray());
            _got.AddOrUpdate(context.Request.Path, text, (_, before) => before + text);
        });
    }

    public Uri Address => _app.Address();

    /// <summary>All spans until now; names and texts stand in it as they are.</summary>
    public string Traces => _got.GetValueOrDefault("/v1/traces", "");

    /// <summary>All measurements until now, in the same way.</summary>
    public string Metrics => _got.GetValueOrDefault("/v1/metrics", "");

    public static async Task<Collector> StartAsync()
    {
        var collector = new Collector();
        await collector._app.StartAsync(TestContext.Current.CancellationToken);
        return collector;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
