using System.Diagnostics;
using System.Diagnostics.Metrics;
using Azure.Core;
using Azure.Identity;
using Azure.Monitor.OpenTelemetry.Exporter;
using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;
using OpenTelemetry.Trace;
using Resource = ImagesFunctions.Registry.Resource;

namespace ImagesFunctions;

/// <summary>
/// What the library tells about itself: docs/telemetry.md has every name, unit and label. Labels come from small fixed sets,
/// never from a request. Costs next to nothing while nobody listens.
/// </summary>
public static class Telemetry
{
    /// <summary>The name of the source of spans and of the meter.</summary>
    public const string Name = "ImagesFunctions";

    /// <summary>Setting: where Azure Monitor takes telemetry.</summary>
    public const string AzureSetting = "APPLICATIONINSIGHTS_CONNECTION_STRING";

    /// <summary>Setting: the identity that it is sent as, in the host's own form <c>ClientId=…;Authorization=AAD</c>.</summary>
    public const string AzureIdentitySetting = "APPLICATIONINSIGHTS_AUTHENTICATION_STRING";

    /// <summary>Setting: where an OpenTelemetry collector listens.</summary>
    public const string OtlpSetting = "OTEL_EXPORTER_OTLP_ENDPOINT";

    /// <summary>Setting: <c>true</c> writes telemetry to standard output.</summary>
    public const string ConsoleSetting = "TelemetryToConsole";

    private const double TracesPerSecond = 20;

    private static readonly ActivitySource Source = new(Name);
    private static readonly Meter Meter = new(Name);

    private static readonly InstrumentAdvice<double> Latencies = new()
    {
        HistogramBucketBoundaries = [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 240],
    };

    private static readonly InstrumentAdvice<double> Lags = new()
    {
        HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200, 86_400],
    };

    private static readonly Histogram<double> RequestDuration = Meter.CreateHistogram(
        "images.request.duration",
        "s",
        "How long requests took.",
        tags: null,
        Latencies
    );

    private static readonly Counter<long> BytesIn = Meter.CreateCounter<long>(
        "images.blob.received",
        "By",
        "Bytes of blobs that clients pushed."
    );

    private static readonly Counter<long> BytesOut = Meter.CreateCounter<long>(
        "images.blob.sent",
        "By",
        "Bytes of blobs that clients pulled through the service."
    );

    private static readonly Counter<long> Ingested = Meter.CreateCounter<long>(
        "images.ingest.blobs",
        "{blob}",
        "Blobs that were looked at because an event said so."
    );

    private static readonly Histogram<double> IngestLag = Meter.CreateHistogram(
        "images.ingest.lag",
        "s",
        "From a blob's Last-Modified until all that it completes is committed.",
        tags: null,
        Lags
    );

    private static readonly Counter<long> RefusedBlobs = Meter.CreateCounter<long>(
        "images.ingest.refusals",
        "{blob}",
        "Blobs that do not count."
    );

    private static readonly Counter<long> ListReads = Meter.CreateCounter<long>(
        "images.list.reads",
        "{read}",
        "Uses of a namespace's list that is kept in memory."
    );

    private static readonly Counter<long> ListUpdates = Meter.CreateCounter<long>(
        "images.list.updates",
        "{update}",
        "Times that a list in memory was brought up to date."
    );

    private static readonly Counter<long> SharedReads = Meter.CreateCounter<long>(
        "images.storage.shared_reads",
        "{read}",
        "Reads that requests wanted, and those of them that another request's read saved."
    );

    private static readonly Counter<long> LimitedRequests = Meter.CreateCounter<long>(
        "images.request.limited",
        "{request}",
        "Requests that were answered with 429."
    );

    private static readonly Counter<long> SweptItems = Meter.CreateCounter<long>(
        "images.sweep.items",
        "{item}",
        "What the sweeper did, by its kind."
    );

    /// <summary>Whether a setting asks for an exporter.</summary>
    public static bool IsExported(IConfiguration configuration) =>
        IsSet(configuration, AzureSetting) || IsSet(configuration, OtlpSetting) || ToConsole(configuration);

    /// <summary>
    /// Sends spans, metrics and logs where settings say: to Azure Monitor, to a collector, to the console, or to several of
    /// them. Where none is set nothing is registered.
    /// </summary>
    internal static void AddTelemetry(this IServiceCollection services, IConfiguration configuration)
    {
        // The storage clients make spans only where this is on, and read it once, at their first call.
        AppContext.SetSwitch("Azure.Experimental.EnableActivitySource", true);
        if (!IsExported(configuration))
        {
            return;
        }

        var console = ToConsole(configuration);
        var telemetry = services
            .AddOpenTelemetry()
            // OTEL_SERVICE_NAME comes last, so that it wins.
            .ConfigureResource(resource =>
                resource.Clear().AddService(Name).AddTelemetrySdk().AddEnvironmentVariableDetector()
            )
            .WithTracing(tracing =>
            {
                tracing.AddSource(Name, "Azure.*");
                _ = console ? tracing.AddConsoleExporter() : tracing;
            })
            .WithMetrics(metrics =>
            {
                metrics.AddMeter(Name);
                _ = console ? metrics.AddConsoleExporter() : metrics;
            })
            .WithLogging(logging => _ = console ? logging.AddConsoleExporter() : logging);
        if (IsSet(configuration, OtlpSetting))
        {
            telemetry.UseOtlpExporter();
        }

        if (IsSet(configuration, AzureSetting))
        {
            var (address, identity) = (configuration[AzureSetting], Identity(configuration[AzureIdentitySetting]));
            telemetry.UseAzureMonitorExporter(azure => Configure(azure, address, identity));
        }

        services.AddLogging(logging =>
            logging
                // A line a request is for a console; exported, the metrics count it and the spans show it.
                .AddFilter<OpenTelemetryLoggerProvider>("ImagesFunctions.Requests", LogLevel.Warning)
                .AddFilter<OpenTelemetryLoggerProvider>("Azure", LogLevel.Warning)
                .AddFilter<OpenTelemetryLoggerProvider>("Microsoft", LogLevel.Warning)
        );
    }

    /// <summary>Notes which of the registry's resources a request asks for.</summary>
    internal static void Asks(HttpContext context, Resource resource) => context.Items[typeof(Resource)] = resource;

    /// <summary>A request was answered.</summary>
    /// <param name="context">The request.</param>
    /// <param name="status">Its status; 499 when the client was gone before, 500 when the answer broke off.</param>
    /// <param name="seconds">How long it took.</param>
    internal static void Answered(HttpContext context, int status, double seconds)
    {
        var span = Activity.Current is { IsAllDataRequested: true } current ? current : null;
        if (span is null && !RequestDuration.Enabled)
        {
            return;
        }

        var route = RouteOf(context);
        span?.SetTag("images.route", route);
        RequestDuration.Record(
            seconds,
            Tag("http.route", route),
            Tag("http.request.method", MethodOf(context.Request.Method)),
            Tag("http.response.status_code", status)
        );
    }

    /// <summary>The body of a push, which counts what is read of it.</summary>
    internal static Stream Counted(Stream body) => BytesIn.Enabled ? new CountedStream(body, BytesIn) : body;

    /// <summary>Bytes of a blob went out.</summary>
    internal static void Sent(long bytes) => BytesOut.Add(bytes);

    /// <summary>A blob does not count.</summary>
    internal static void Refused(RefusalKind kind) =>
        RefusedBlobs.Add(1, Tag("kind", kind.ToString().ToLowerInvariant()));

    /// <summary>A list was used: it was up to date, or has to catch up first.</summary>
    internal static void ListRead(bool isHit) => ListReads.Add(1, Tag("result", isHit ? "hit" : "behind"));

    /// <summary>A list caught up.</summary>
    /// <param name="source">From the <c>log</c>, from a <c>snapshot</c>, or by a <c>scan</c> of all rows.</param>
    internal static void ListUpdated(string source) => ListUpdates.Add(1, Tag("from", source));

    /// <summary>A read was asked for that may be shared.</summary>
    internal static void Read(string of, bool isSaved) =>
        SharedReads.Add(1, Tag("of", of), new("result", isSaved ? "saved" : "read"));

    /// <summary>A request met a limit.</summary>
    /// <param name="limit"><c>account</c>, <c>address</c> or <c>login</c>.</param>
    internal static void Limited(string limit) => LimitedRequests.Add(1, Tag("limit", limit));

    /// <summary>The sweeper removed something.</summary>
    /// <param name="kind">What kind of thing, of a small fixed set.</param>
    /// <param name="count">How many.</param>
    internal static void Swept(string kind, long count) => SweptItems.Add(count, Tag("kind", kind));

    /// <summary>Takes a blob in, within a span of its own, and counts what came of it.</summary>
    internal static async Task IngestAsync(string path, Func<Task<Landed>> takeIn, CancellationToken cancellationToken)
    {
        using var span = Source.StartActivity("ingest", ActivityKind.Consumer);
        if (span is { IsAllDataRequested: true })
        {
            span.SetTag("images.path", Refusals.Visible(path));
        }

        var outcome = "failed";
        try
        {
            var landed = await takeIn();
            outcome = landed.Outcome;
            if (landed.LastModified is { } since)
            {
                // Two clocks: this one may be behind the storage account's.
                IngestLag.Record(Math.Max(0, (DateTimeOffset.UtcNow - since).TotalSeconds));
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            outcome = "stopped";
            throw;
        }
        catch (Exception error)
        {
            span?.SetStatus(ActivityStatusCode.Error, error.GetType().Name);
            throw;
        }
        finally
        {
            span?.SetTag("images.outcome", outcome);
            Ingested.Add(1, Tag("outcome", outcome));
        }
    }

    private static void Configure(AzureMonitorExporterOptions azure, string? address, TokenCredential? identity)
    {
        azure.ConnectionString = address;
        azure.Credential = identity;
        azure.TracesPerSecond = TracesPerSecond;
        // Warnings and errors are few, and wanted for requests too whose spans were not sampled.
        azure.EnableTraceBasedLogsSampler = false;
        // Would keep an instance talking that has nothing to say.
        azure.EnableLiveMetrics = false;
    }

    private static ManagedIdentityCredential? Identity(string? text)
    {
        var parts = (text ?? "")
            .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(part => part.Split('=', 2))
            .Where(part => part.Length == 2)
            .ToLookup(part => part[0], part => part[1], StringComparer.OrdinalIgnoreCase);
        return !parts["Authorization"].Contains("AAD", StringComparer.OrdinalIgnoreCase) ? null
            : parts["ClientId"].FirstOrDefault() is { Length: > 0 } clientId
                ? new ManagedIdentityCredential(ManagedIdentityId.FromUserAssignedClientId(clientId))
            : new ManagedIdentityCredential(ManagedIdentityId.SystemAssigned);
    }

    private static bool IsSet(IConfiguration configuration, string setting) =>
        !string.IsNullOrWhiteSpace(configuration[setting]);

    private static bool ToConsole(IConfiguration configuration) =>
        configuration.GetValue(ConsoleSetting, defaultValue: false);

    private static KeyValuePair<string, object?> Tag(string name, object? value) => new(name, value);

    private static string RouteOf(HttpContext context) =>
        context.Items.TryGetValue(typeof(Resource), out var resource)
            ? resource switch
            {
                Resource.Base => "/v2/",
                Resource.Catalog => "/v2/_catalog",
                Resource.Blob => "/v2/{name}/blobs/{digest}",
                Resource.Uploads => "/v2/{name}/blobs/uploads/",
                Resource.Upload => "/v2/{name}/blobs/uploads/{id}",
                Resource.Manifest => "/v2/{name}/manifests/{reference}",
                Resource.Tags => "/v2/{name}/tags/list",
                _ => "/v2/{name}/referrers/{digest}",
            }
            : (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "none";

    // As the semantic conventions have it: anybody can make methods up.
    private static string MethodOf(string method) =>
        method is "GET" or "HEAD" or "POST" or "PUT" or "PATCH" or "DELETE" or "OPTIONS" ? method : "_OTHER";

    private sealed class CountedStream(Stream body, Counter<long> counter) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer,
            CancellationToken cancellationToken = default
        )
        {
            var read = await body.ReadAsync(buffer, cancellationToken);
            counter.Add(read);
            return read;
        }

        public override Task<int> ReadAsync(
            byte[] buffer,
            int offset,
            int count,
            CancellationToken cancellationToken
        ) => ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) =>
            throw new NotSupportedException("The library makes no blocking calls.");

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Flush() { }
    }
}

/// <summary>What came of a blob that landed.</summary>
/// <param name="Outcome">One of a few words.</param>
/// <param name="LastModified">When the blob was written, by the storage service's clock; null where that says nothing about how long its ingest took.</param>
internal readonly record struct Landed(string Outcome, DateTimeOffset? LastModified = null)
{
    /// <summary>Nothing stands at the path any more.</summary>
    public static readonly Landed Gone = new("gone");

    /// <summary>It does not count, and the refusal says why.</summary>
    public static readonly Landed Refused = new("refused");

    /// <summary>It was good before.</summary>
    public static readonly Landed Known = new("known");

    /// <summary>A layout's index was read.</summary>
    public static readonly Landed Index = new("index");

    /// <summary>A file of a layout that says nothing.</summary>
    public static readonly Landed Ignored = new("ignored");

    /// <summary>It is new and good.</summary>
    public static Landed Committed(DateTimeOffset lastModified) => new("committed", lastModified);
}
