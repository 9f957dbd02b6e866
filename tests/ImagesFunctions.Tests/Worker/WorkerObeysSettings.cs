using System.Net;
using ImagesFunctions.Ingest;

namespace ImagesFunctions.Tests.Worker;

/// <summary>What the worker is told by files and settings and does only when its parts are put together.</summary>
public sealed class WorkerObeysSettings(WorkerFixture fixture)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_is_told_by_us_and_not_by_ASP_NET_Core_too()
    {
        var worker = await fixture.Started;
        var path = $"no/such/{Guid.NewGuid():N}";

        using var answer = await worker.Running.Http.GetAsync($"/{path}", Stop);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        // Logs and results come in one stream: with this result all lines of the request are there.
        await worker.Host.BlobLandedAsync("alice/web/oci-layout", Stop);

        var lines = worker.Host.Log.Split('\n');
        Assert.Contains(lines, line => line.Contains(path, StringComparison.Ordinal));
        Assert.DoesNotContain(
            lines,
            line => line.StartsWith("Information Microsoft.AspNetCore", StringComparison.Ordinal)
        );
    }

    [Fact]
    public async Task A_blob_outlasts_an_outage_for_as_long_as_the_setting_says()
    {
        await using var worker = await OwnWorker.StartAsync((PatientIngest.WaitSetting, "a while"));

        var result = await worker.Host.BlobLandedAsync("alice/web/oci-layout", Stop);

        Assert.False(result.Succeeded);
        Assert.Contains("OutageWait is 'a while'", result.Error, StringComparison.Ordinal);
    }
}
