using System.Text.Json;
using ImagesFunctions.Tests.Worker;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Infra;

/// <summary>App settings: what the Bicep and the sample set, what the code and the host read, and what the document explains.</summary>
public sealed class SettingsAgree
{
    /// <summary>What the Functions host reads, and not our code.</summary>
    private static readonly string[] s_hosts =
    [
        "AzureFunctionsJobHost__extensions__http__maxConcurrentRequests",
        "AzureWebJobsDisableHomepage",
        "AzureWebJobsStorage",
        "AzureWebJobsStorage__accountName",
        "AzureWebJobsStorage__blobServiceUri",
        "AzureWebJobsStorage__clientId",
        "AzureWebJobsStorage__credential",
        "AzureWebJobsStorage__queueServiceUri",
        "AzureWebJobsStorage__tableServiceUri",
        "FUNCTIONS_REQUEST_BODY_SIZE_LIMIT",
        "FUNCTIONS_WORKER_RUNTIME",
        // The blob trigger's poison queue is beside the blobs.
        "ImagesStorage__queueServiceUri",
    ];

    /// <summary>Where telemetry may go: each is set where there is such a place.</summary>
    private static readonly string[] s_exporters =
    [
        TelemetryExport.AzureSetting,
        TelemetryExport.AzureIdentitySetting,
        TelemetryExport.OtlpSetting,
    ];

    private static IReadOnlyDictionary<string, string> Cloud => Snapshot.Main.AppSettings;

    private static Dictionary<string, string> Sample
    {
        get
        {
            using var sample = JsonDocument.Parse(Repo.Read("local.settings.sample.json"));
            return sample
                .RootElement.GetProperty("Values")
                .EnumerateObject()
                .ToDictionary(v => v.Name, v => v.Value.GetString()!, StringComparer.Ordinal);
        }
    }

    [Fact]
    public void Every_setting_that_the_code_reads_is_set_in_the_cloud() =>
        // A connection string is for Azurite; the cloud has the parts of an identity.
        Assert.Empty(
            ReadWith(Cloud)
                .Except([.. Cloud.Keys, "ImagesStorage", TelemetryExport.OtlpSetting], StringComparer.Ordinal)
        );

    [Fact]
    public void Every_setting_that_the_code_reads_is_in_the_sample() =>
        Assert.Empty(ReadWith(Sample).Except([.. Sample.Keys, .. s_exporters], StringComparer.Ordinal));

    [Fact]
    public void Every_setting_in_the_cloud_is_read() => Assert.Empty(Unread(Cloud));

    [Fact]
    public void Every_setting_of_the_sample_is_read() => Assert.Empty(Unread(Sample));

    [Fact]
    public void Settings_that_name_a_function_name_one_that_exists()
    {
        var named = Cloud.Keys.Concat(Sample.Keys).Where(IsSwitch).Select(s => s.Split('.')[1]).ToList();
        Assert.NotEmpty(named);
        Assert.Subset(BuiltFunctions.All.Select(f => f.Name).ToHashSet(), named.ToHashSet());
    }

    [Fact]
    public void The_cloud_has_the_events_and_the_sample_the_scan()
    {
        Assert.Equal([BuiltFunctions.Landed.Name], BlobFunctionsThatRun(Cloud));
        Assert.Equal([BuiltFunctions.Landed.Name + "Polling"], BlobFunctionsThatRun(Sample));
    }

    [Fact]
    public void The_cloud_has_no_secret_and_the_sample_no_account_but_the_emulator()
    {
        Assert.All(
            Cloud.Values,
            value => Assert.DoesNotMatch("(?i)AccountKey|SharedAccess|InstrumentationKey|listKeys|sig=", value)
        );
        Assert.All(
            Sample.Where(s => s.Key.EndsWith("Storage", StringComparison.Ordinal)),
            s => Assert.Equal("UseDevelopmentStorage=true", s.Value)
        );
    }

    [Fact]
    public void The_cloud_and_the_sample_differ_only_in_where_and_who()
    {
        var both = Cloud.Keys.Intersect(Sample.Keys, StringComparer.Ordinal).ToList();
        // Azurite cannot be reached by whoever pulls.
        Assert.Equal(["RedirectPulls"], both.Where(name => Cloud[name] != Sample[name]));
        Assert.Contains("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT", both);
        // Flex Consumption refuses it; Core Tools need it.
        Assert.DoesNotContain("FUNCTIONS_WORKER_RUNTIME", Cloud.Keys);
        Assert.Equal("dotnet-isolated", Sample["FUNCTIONS_WORKER_RUNTIME"]);
    }

    [Fact]
    public void Images_and_host_have_an_account_each()
    {
        foreach (var service in (string[])["blob", "queue", "table"])
        {
            Assert.Matches(
                $@"/stimages\w+'.*primaryEndpoints\.{service}\]$",
                Cloud[$"ImagesStorage__{service}ServiceUri"]
            );
            Assert.Matches(
                $@"/sthost\w+'.*primaryEndpoints\.{service}\]$",
                Cloud[$"AzureWebJobsStorage__{service}ServiceUri"]
            );
        }
    }

    [Fact]
    public void The_sweep_is_an_NCRONTAB_of_six_fields() =>
        Assert.All(
            (string[])[Cloud["SweepSchedule"], Sample["SweepSchedule"]],
            s => Assert.Equal(6, s.Split(' ').Length)
        );

    [Fact]
    public void The_document_explains_every_setting()
    {
        var document = Repo.Read("docs/settings.md");
        Assert.All(Cloud.Keys.Union(Sample.Keys).Union(s_exporters), name => Assert.Contains($"`{name}`", document));
    }

    private static bool IsSwitch(string setting) => setting.StartsWith("AzureWebJobs.", StringComparison.Ordinal);

    private static IEnumerable<string> BlobFunctionsThatRun(IReadOnlyDictionary<string, string> settings) =>
        BuiltFunctions
            .All.Where(f => f.TriggerType == "blobTrigger")
            .Select(f => f.Name)
            .Where(name => settings.GetValueOrDefault($"AzureWebJobs.{name}.Disabled") != "true");

    private static IEnumerable<string> Unread(IReadOnlyDictionary<string, string> settings) =>
        settings
            .Keys.Where(name => !IsSwitch(name))
            .Except(ReadWith(settings), StringComparer.Ordinal)
            .Except(s_hosts)
            .Except(
                BuiltFunctions.All.Select(f => f.Of("schedule")).OfType<string>().Select(schedule => schedule.Trim('%'))
            );

    /// <summary>Makes everything that the library registers, with these settings, and says which ones that has read.</summary>
    private static HashSet<string> ReadWith(IReadOnlyDictionary<string, string> settings)
    {
        var source = new Recorder(
            settings.ToDictionary(
                s => s.Key.Replace("__", ":", StringComparison.Ordinal),
                s => (string?)Known(s.Value),
                StringComparer.OrdinalIgnoreCase
            )
        );
        var configuration = new ConfigurationRoot([source]);
        var services = new ServiceCollection().AddSingleton<IConfiguration>(configuration).AddLogging();
        services.AddImages(configuration);
        using var made = services.BuildServiceProvider();
        foreach (
            var type in services
                .Select(s => s.ServiceType)
                .Where(type => type.Namespace!.StartsWith(nameof(ImagesFunctions), StringComparison.Ordinal))
        )
        {
            made.GetRequiredService(type);
        }

        // OpenTelemetry reads dozens of standard variables, each where it is set; one of them is ours to explain.
        return
        [
            .. source
                .Read.Select(key => key.Replace(":", "__", StringComparison.Ordinal))
                .Where(name =>
                    name == TelemetryExport.OtlpSetting || !name.StartsWith("OTEL_", StringComparison.Ordinal)
                ),
        ];
    }

    // What only Azure knows.
    private static string Known(string value) =>
        !value.StartsWith('[') ? value
        : value.Contains("primaryEndpoints") ? "https://account.example.com/"
        : "11111111-1111-1111-1111-111111111111";

    private sealed class Recorder : ConfigurationProvider
    {
        public Recorder(IDictionary<string, string?> settings) => Data = settings;

        public HashSet<string> Read { get; } = new(StringComparer.Ordinal);

        public override bool TryGet(string key, out string? value)
        {
            Read.Add(key);
            return base.TryGet(key, out value);
        }
    }
}
