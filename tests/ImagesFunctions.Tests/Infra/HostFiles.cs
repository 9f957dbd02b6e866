using System.Text.Json;
using System.Text.Json.Serialization;

namespace ImagesFunctions.Tests.Infra;

/// <summary>
/// The host ignores what it does not know, a misspelt limit too. So both files are read strictly, into what its reference
/// documents and these files use.
/// </summary>
public sealed class HostFiles
{
    private static readonly JsonSerializerOptions s_strict = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        RespectNullableAnnotations = true,
        AllowDuplicateProperties = false,
    };

    private static readonly JsonSerializerOptions s_asWritten = new(s_strict) { PropertyNamingPolicy = null };

    private static HostJson Host => JsonSerializer.Deserialize<HostJson>(Repo.Read("host.json"), s_strict)!;

    [Fact]
    public void host_json_is_what_the_host_knows()
    {
        Assert.Equal("2.0", Host.Version);
        Assert.Equal("", Host.Extensions.Http.RoutePrefix);
        Assert.All(Host.Logging.LogLevel.Values, level => Assert.Contains(level, (string[])["Information", "Warning"]));
        // The worker sends its own, and says so only where it has an exporter: functions/App/Program.cs.
        Assert.Equal("OpenTelemetry", Host.TelemetryMode);
    }

    [Fact]
    public void A_blob_is_tried_as_often_as_the_local_watcher_tries_and_as_many_at_once() =>
        Assert.Equal(new Blobs(MaxDegreeOfParallelism: 8, PoisonBlobThreshold: 5), Host.Extensions.Blobs);

    [Fact]
    public void A_function_may_run_as_long_as_Azure_lets_it_finish() =>
        Assert.Equal(TimeSpan.FromHours(1), Host.FunctionTimeout);

    [Fact]
    public void Core_Tools_can_read_the_sample_whose_values_are_all_text()
    {
        var sample = JsonSerializer.Deserialize<LocalSettings>(Repo.Read("local.settings.sample.json"), s_asWritten)!;
        Assert.False(sample.IsEncrypted);
        Assert.NotEmpty(sample.Values);
    }

    [Fact]
    public void The_copy_with_keys_is_ignored_and_never_published()
    {
        Assert.Contains("\nlocal.settings.json\n", Repo.Read(".gitignore"));
        Assert.Contains("\nlocal.settings.json\n", Repo.Read(".funcignore"));
    }

    private sealed record HostJson(
        string Version,
        string TelemetryMode,
        TimeSpan FunctionTimeout,
        Logging Logging,
        Extensions Extensions
    );

    private sealed record Logging(Dictionary<string, string> LogLevel);

    private sealed record Extensions(Http Http, Blobs Blobs);

    private sealed record Http(string RoutePrefix);

    private sealed record Blobs(int MaxDegreeOfParallelism, int PoisonBlobThreshold);

    private sealed record LocalSettings(bool IsEncrypted, Dictionary<string, string> Values);
}
