using System.Net;
using ImagesFunctions.FunctionsHost;
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

    /// <summary>How long a blob outlasts an outage is read before the worker serves anything.</summary>
    [Fact]
    public async Task A_setting_that_is_wrong_ends_the_worker_with_a_sentence_that_names_it()
    {
        var settings = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [PatientIngest.WaitSetting] = "a while",
        };

        var ended = await Assert.ThrowsAsync<WorkerExitedException>(() =>
            WorkerHost.StartAsync(WorkerHost.BuiltApp, settings, Stop)
        );

        Assert.Contains("OutageWait is 'a while': it has to be a duration", ended.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", ended.Message, StringComparison.Ordinal);
    }
}
