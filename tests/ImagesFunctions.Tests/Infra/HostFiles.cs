using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using ImagesFunctions.Ingest;

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

    private static LocalSettings Sample =>
        JsonSerializer.Deserialize<LocalSettings>(Repo.Read("local.settings.sample.json"), s_asWritten)!;

    private static Dictionary<string, string> LocalValues => Sample.Values;

    [Fact]
    public void host_json_is_what_the_host_knows()
    {
        Assert.Equal("2.0", Host.Version);
        Assert.Equal("", Host.Extensions.Http.RoutePrefix);
        Assert.All(
            Host.Logging.LogLevel.Values,
            level => Assert.Contains(level, (string[])["Information", "Warning", "Error"])
        );
        // The worker sends its own, and says so only where it has an exporter: functions/App/Program.cs.
        Assert.Equal("OpenTelemetry", Host.TelemetryMode);
    }

    [Fact]
    public void A_blob_is_tried_as_often_as_the_local_watcher_tries_and_as_many_at_once() =>
        Assert.Equal(new Blobs(MaxDegreeOfParallelism: 8, PoisonBlobThreshold: 5), Host.Extensions.Blobs);

    [Fact]
    public void What_the_worker_leaves_out_of_its_log_the_host_leaves_out_too()
    {
        // The host does not hand its levels to the worker, which has to say them again.
        var filters = Regex.Matches(
            Repo.Read("functions/App/Program.cs"),
            @"builder\.Logging\.AddFilter\(""(.+?)"", LogLevel\.(\w+)\);"
        );
        Assert.Contains(filters, filter => filter.Groups[1].Value == "Microsoft.AspNetCore");
        Assert.All(
            filters,
            filter => Assert.Equal(filter.Groups[2].Value, Host.Logging.LogLevel[filter.Groups[1].Value])
        );
    }

    [Fact]
    public void Routine_answers_that_the_host_polls_for_are_no_warnings() =>
        // 404s of its own leases and receipts: 33 in three minutes in which nothing happened.
        Assert.Equal("Error", Host.Logging.LogLevel["Azure.Core"]);

    [Fact]
    public void An_outage_of_five_minutes_is_outlasted_twice_over_and_leaves_time_to_hash()
    {
        Assert.All(
            (string[])[Snapshot.Main.AppSettings[PatientIngest.WaitSetting], LocalValues[PatientIngest.WaitSetting]],
            setting =>
            {
                Assert.True(Duration.TryParse(setting, out var wait));
                Assert.Equal(PatientIngest.DefaultWait, wait);
                Assert.True(Host.Extensions.Blobs.PoisonBlobThreshold * wait >= 2 * TimeSpan.FromMinutes(5));
                // A function that runs longer ends its whole worker. The wait begins with the invocation.
                Assert.True(Host.FunctionTimeout - wait > TimeSpan.FromMinutes(45));
            }
        );
    }

    [Fact]
    public void A_function_may_run_as_long_as_Azure_lets_it_finish() =>
        Assert.Equal(TimeSpan.FromHours(1), Host.FunctionTimeout);

    [Fact]
    public void Core_Tools_can_read_the_sample_whose_values_are_all_text()
    {
        Assert.False(Sample.IsEncrypted);
        Assert.NotEmpty(LocalValues);
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
