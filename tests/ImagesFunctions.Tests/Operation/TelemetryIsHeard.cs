using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using ImagesFunctions.Accounts;
using ImagesFunctions.Ingest;
using ImagesFunctions.Local;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Local;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace ImagesFunctions.Tests.Operation;

/// <summary>docs/telemetry.md: what is told, and what is never told.</summary>
public sealed class TelemetryIsHeard
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_leaves_a_trace_down_to_storage_and_its_measures()
    {
        using var heard = new Heard();
        await using var host = await OwnHost.StartAsync();
        var token = await host.Running.TokenForAsync("alice");
        using var test = heard.Begin();

        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/images/list?namespace=alice");
        request.Headers.Authorization = new("Bearer", token);
        using var answer = await host.Running.Http.SendAsync(request, Stop);
        Assert.True(answer.IsSuccessStatusCode);

        await Until.TrueAsync(
            () => heard.Of(test.TraceId).Any(m => m.StartsWith("images.request", StringComparison.Ordinal)),
            "a measure"
        );
        Assert.Contains(
            "images.request.duration http.route=/v1/images/list http.request.method=GET http.response.status_code=200",
            heard.Of(test.TraceId)
        );
        Assert.Contains("images.storage.shared_reads of=token result=read", heard.Of(test.TraceId));
        Assert.Contains("images.storage.shared_reads of=version result=read", heard.Of(test.TraceId));
        await Until.TrueAsync(() => Requests().Any(), "the request's span");
        var span = Assert.Single(Requests());
        Assert.Equal("/v1/images/list", span.GetTagItem("images.route"));
        var storage = heard
            .SpansOf(test.TraceId)
            .Where(s => s.Source.Name.StartsWith("Azure.Data.Tables", StringComparison.Ordinal))
            .ToList();
        Assert.NotEmpty(storage);
        Assert.All(storage, s => Assert.True(IsBelow(s, span), s.DisplayName));

        IEnumerable<Activity> Requests() =>
            heard.SpansOf(test.TraceId).Where(s => s.Source.Name == "Microsoft.AspNetCore");
    }

    [Fact]
    public async Task A_blob_that_landed_leaves_a_trace_down_to_its_rows_and_its_measures()
    {
        using var heard = new Heard();
        await using var services = await LibraryAsync();
        var (path, bytes) = Blob("landed");
        await PutAsync(services, path, bytes);

        var first = await LandedAsync(heard, services, path);
        var second = await LandedAsync(heard, services, path);
        await PutAsync(services, path, [1]);
        var third = await LandedAsync(heard, services, path);

        Assert.Contains("images.ingest.blobs outcome=committed", heard.Of(first));
        Assert.Contains("images.ingest.blobs outcome=known", heard.Of(second));
        Assert.Contains("images.ingest.blobs outcome=refused", heard.Of(third));
        Assert.Contains("images.ingest.refusals kind=digest", heard.Of(third));
        Assert.InRange(Assert.Single(heard.MeasuredIn(first), m => m.Name == "images.ingest.lag").Value, 0, 60);
        // What was known before says nothing about how long it took.
        Assert.DoesNotContain("images.ingest.lag", heard.Of(second));
        var span = Assert.Single(heard.SpansOf(first), s => s.Source.Name == TelemetryExport.Name);
        Assert.Equal(
            ("ingest", path, "committed"),
            (span.DisplayName, span.GetTagItem("images.path"), span.GetTagItem("images.outcome"))
        );
        Assert.Contains(
            heard.SpansOf(first),
            s => s.Source.Name.StartsWith("Azure.Storage.Blobs", StringComparison.Ordinal) && IsBelow(s, span)
        );
        Assert.Contains(
            heard.SpansOf(first),
            s => s.Source.Name.StartsWith("Azure.Data.Tables", StringComparison.Ordinal) && IsBelow(s, span)
        );
    }

    [Fact]
    public async Task Bytes_of_blobs_are_counted_in_and_out()
    {
        using var heard = new Heard();
        await using var host = await OwnHost.StartAsync();
        var client = await RegistryClient.ForAsync(host.Running, "alice");
        using var test = heard.Begin();
        var bytes = new byte[300_000];

        var digest = await client.PushBlobAsync("alice/bytes", bytes);
        var pulled = await client.GetAsync($"/v2/alice/bytes/blobs/{digest}");

        Assert.Equal(bytes.Length, pulled.Bytes.Length);
        Assert.Equal(bytes.Length, Sum("images.blob.received"));
        Assert.Equal(bytes.Length, Sum("images.blob.sent"));
        await Until.TrueAsync(
            () => heard.Of(test.TraceId).Any(m => m.Contains("http.route=/v2/{name}/blobs/{digest} ")),
            "the pull's measure"
        );

        double Sum(string name) => heard.MeasuredIn(test.TraceId).Where(m => m.Name == name).Sum(m => m.Value);
    }

    [Fact]
    public async Task Nothing_that_is_told_holds_a_token()
    {
        using var heard = new Heard();
        await using var host = await OwnHost.StartAsync(services =>
            services.AddLogging(log => log.AddProvider(heard.Log).AddFilter<FakeLoggerProvider>(null, LogLevel.Trace))
        );
        using var test = heard.Begin();
        var good = await host.Running.TokenForAsync("alice");
        var bad = Credentials.New("alice").Text;
        string[] headers =
        [
            $"Bearer {good}",
            $"Bearer {bad}",
            $"Bearer {bad[..^8]}",
            RegistryClient.Basic("alice", good),
            RegistryClient.Basic("alice", bad),
            RegistryClient.Basic("alice", Secret(bad)),
            $"Basic {good}",
        ];
        foreach (var header in headers)
        {
            await EverythingAsync(new RegistryClient(host.Running.Http, header));
        }

        var (path, bytes) = Blob("token");
        await host.Running.FileAsync(path, bytes);
        // The watcher does the same, in a trace of its own.
        await host.App.Services.GetRequiredService<BlobIngest>().LandedAsync(path, Stop);

        var told = await heard.UntilAsync("images.ingest.blobs outcome=committed");
        // It was listened to: the log, the spans and the measures.
        Assert.Contains("/v2/alice/app/manifests/latest 404", told);
        Assert.Contains("Azure.Data.Tables", told);
        Assert.Contains("images.ingest.blobs outcome=", told);
        var secrets = ((string[])[good, bad]).SelectMany(t =>
            (string[])[t, t.TrimEnd('='), Secret(t), Secret(t)[9..], Hash(t)]
        );
        Assert.All(
            secrets.Concat(headers.Select(h => h.Split(' ')[1])),
            secret => Assert.DoesNotContain(secret, told, StringComparison.OrdinalIgnoreCase)
        );
    }

    [Fact]
    public async Task A_collector_gets_spans_and_measures_where_a_setting_names_one()
    {
        await using var collector = await Collector.StartAsync();
        var connection = await Storages.NewWithTablesAsync();
        await using var services = Library((StorageAccount.Section, connection));
        var (path, bytes) = Blob("collected");
        await PutAsync(services, path, bytes);

        // In a process of its own: what it sends is all that is done there.
        await using var program = await LocalProgram.ServeAsync(
            connection,
            ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.Address.ToString()),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
            ("OTEL_BSP_SCHEDULE_DELAY", "100"),
            ("OTEL_METRIC_EXPORT_INTERVAL", "200")
        );

        await Until.TrueAsync(
            () => collector.Traces.Contains(path) && collector.Traces.Contains("Azure.Data.Tables"),
            "spans at the collector"
        );
        await Until.TrueAsync(() => collector.Metrics.Contains("images.ingest.lag"), "measures at the collector");
        Assert.DoesNotContain(path, collector.Metrics);
    }

    [Fact]
    public async Task Azure_gets_it_as_the_identity_that_a_setting_names()
    {
        await using var services = await LibraryAsync(
            (
                TelemetryExport.AzureSetting,
                "InstrumentationKey=00000000-0000-0000-0000-000000000001;IngestionEndpoint=http://127.0.0.1:1/"
            ),
            (TelemetryExport.AzureIdentitySetting, "ClientId=11111111-1111-1111-1111-111111111111;Authorization=AAD")
        );
        Assert.NotNull(services.GetService<TracerProvider>());
        Assert.NotNull(services.GetService<MeterProvider>());
    }

    [Fact]
    public async Task Where_no_setting_asks_for_it_there_is_no_exporter()
    {
        await using var services = await LibraryAsync(
            (TelemetryExport.ConsoleSetting, "false"),
            (TelemetryExport.OtlpSetting, "")
        );
        Assert.Null(services.GetService<TracerProvider>());
        Assert.Null(services.GetService<MeterProvider>());
    }

    [Fact]
    public void The_document_has_every_instrument_and_no_other()
    {
        var document = Infra.Repo.Read("docs/telemetry.md");
        var source = Infra.Repo.Read("functions/ImagesFunctions/Telemetry/Metrics.cs");
        Assert.Equal(
            Regex
                .Matches(source, "^        \"(?<name>images\\.[a-z_.]+)\",", RegexOptions.Multiline)
                .Select(m => m.Groups["name"].Value)
                .Order(),
            Regex
                .Matches(document, @"^\| `(?<name>images\.[a-z_.]+)`", RegexOptions.Multiline)
                .Select(m => m.Groups["name"].Value)
                .Order()
        );
    }

    // With what every kind of route does to credentials.
    private static async Task EverythingAsync(RegistryClient client)
    {
        await client.GetAsync("/v1/images/list");
        await client.GetAsync("/v2/");
        await client.GetAsync("/v2/alice/app/manifests/latest");
        await client.SendAsync("POST", $"/v2/alice/app/blobs/uploads/?digest={Layout.DigestOf([1], "sha256")}", [1]);
    }

    private static bool IsBelow(Activity span, Activity above)
    {
        for (var one = span; one is not null; one = one.Parent)
        {
            if (one.SpanId == above.SpanId || one.ParentSpanId == above.SpanId)
            {
                return true;
            }
        }

        return false;
    }

    private static async Task<ActivityTraceId> LandedAsync(Heard heard, IServiceProvider services, string path)
    {
        using var test = heard.Begin();
        await services.GetRequiredService<BlobIngest>().LandedAsync(path, Stop);
        return test.TraceId;
    }

    private static async Task PutAsync(IServiceProvider services, string path, byte[] bytes) =>
        await services
            .GetRequiredService<StorageAccount>()
            .Images.GetBlobClient(path)
            .UploadAsync(BinaryData.FromBytes(bytes), overwrite: true, Stop);

    private static (string Path, byte[] Bytes) Blob(string app)
    {
        var bytes = Encoding.UTF8.GetBytes(app);
        return ($"alice/{app}/blobs/{Layout.DigestOf(bytes, "sha256").Replace(':', '/')}", bytes);
    }

    private static async Task<ServiceProvider> LibraryAsync(params (string Name, string Value)[] settings) =>
        Library([(StorageAccount.Section, await Storages.NewWithTablesAsync()), .. settings]);

    private static ServiceProvider Library(params (string Name, string Value)[] settings)
    {
        var configuration = OwnHost.Settings(settings);
        var services = new ServiceCollection().AddSingleton(configuration).AddLogging();
        services.AddImages(configuration);
        return services.BuildServiceProvider();
    }

    // "<id>.<random>", as it is in a token's text.
    private static string Secret(string text) => Encoding.UTF8.GetString(Convert.FromBase64String(text)).Split(':')[1];

    private static string Hash(string text) =>
        Credentials.TryParse(text, out var credentials) ? credentials.SecretHash : throw new FormatException(text);
}
