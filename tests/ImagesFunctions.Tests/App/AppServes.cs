using System.Net;
using ImagesFunctions.WorkerStandIns;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ImagesFunctions.Tests.App;

/// <summary>The function app itself, run on the stand-ins of the worker and its host.</summary>
public sealed class AppServes : IAsyncLifetime
{
    // Nothing here gets as far as storage.
    private static readonly Dictionary<string, string?> s_settings = new(StringComparer.Ordinal)
    {
        ["ImagesStorage"] = "UseDevelopmentStorage=true",
        ["AzureWebJobs.BlobLanded.Disabled"] = "true",
    };

    private readonly HttpClient _client = new();
    private FunctionsHost _app = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _app = await FunctionsHost.StartAsync(typeof(ImagesFunctions.App.Site).Assembly, s_settings, Stop);
        _client.BaseAddress = _app.Address;
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        await _app.DisposeAsync();
    }

    [Theory]
    [InlineData("GET", "/v1/images/list")]
    [InlineData("POST", "/v1/images/list")]
    [InlineData("GET", "/v1")]
    [InlineData("GET", "/")]
    [InlineData("DELETE", "/what/is/not/there")]
    public async Task The_pipeline_answers_on_every_path(string method, string path)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        using var answer = await _client.SendAsync(request, Stop);

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.MediaType);
    }

    [Fact]
    public async Task A_method_that_no_trigger_lists_ends_at_the_host()
    {
        using var request = new HttpRequestMessage(new HttpMethod("PROPFIND"), "/v1/images/list");
        using var answer = await _client.SendAsync(request, Stop);

        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(Stop));
    }

    [Fact]
    public void Kestrel_sets_no_limit_to_a_body() =>
        Assert.Null(_app.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits.MaxRequestBodySize);
}
