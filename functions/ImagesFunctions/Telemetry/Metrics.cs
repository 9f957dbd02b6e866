using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ImagesFunctions.Telemetry;

/// <summary>
/// The metrics and spans of the library: docs/telemetry.md has every name, unit and label. Labels come from small fixed sets,
/// never from a request. Without a listener they cost almost nothing.
/// </summary>
internal static class Metrics
{
    private static readonly object RouteItem = new();

    private static readonly ActivitySource Source = new(TelemetryExport.Name);
    private static readonly Meter Meter = new(TelemetryExport.Name);

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

    private static readonly Counter<long> CoalescedReads = Meter.CreateCounter<long>(
        "images.storage.shared_reads",
        "{read}",
        "Reads that requests wanted, and those of them that another request's read saved."
    );

    private static readonly Counter<long> LimitedRequests = Meter.CreateCounter<long>(
        "images.request.limited",
        "{request}",
        "Requests that were answered with 429."
    );

    /// <summary>The kind of <see cref="Swept"/> that counts sweeps that were completed.</summary>
    public const string CompleteSweeps = "sweeps";

    private static readonly Counter<long> SweptItems = Meter.CreateCounter<long>(
        "images.sweep.items",
        "{item}",
        "What the sweeper did, by its kind."
    );

    /// <summary>Sets the route of a request that ASP.NET's routing does not know.</summary>
    public static void SetRoute(HttpContext context, string route) => context.Items[RouteItem] = route;

    /// <summary>A request was answered.</summary>
    /// <param name="context">The request.</param>
    /// <param name="status">Its status; 499 when the client was gone before, 500 when the answer broke off.</param>
    /// <param name="seconds">How long it took.</param>
    public static void Answered(HttpContext context, int status, double seconds)
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

    /// <summary>The body of a push; counts the bytes that are read.</summary>
    public static Stream Counted(Stream body) => BytesIn.Enabled ? new CountedStream(body, BytesIn) : body;

    /// <summary>Bytes of a blob were sent.</summary>
    public static void Sent(long bytes) => BytesOut.Add(bytes);

    /// <summary>A blob was refused.</summary>
    /// <param name="kind">The kind of the refusal, of a small fixed set.</param>
    public static void Refused(string kind) => RefusedBlobs.Add(1, Tag("kind", kind));

    /// <summary>A list was used.</summary>
    /// <param name="isHit">Whether it was up to date.</param>
    public static void ListRead(bool isHit) => ListReads.Add(1, Tag("result", isHit ? "hit" : "behind"));

    /// <summary>A list was brought up to date.</summary>
    /// <param name="source">From the <c>log</c>, from a <c>snapshot</c>, or by a <c>scan</c> of all rows.</param>
    public static void ListUpdated(string source) => ListUpdates.Add(1, Tag("from", source));

    /// <summary>A read that requests may share.</summary>
    /// <param name="of">What is read, of a small fixed set.</param>
    /// <param name="isSaved">Whether another request's read serves this one.</param>
    public static void ReadShared(string of, bool isSaved) =>
        CoalescedReads.Add(1, Tag("of", of), new("result", isSaved ? "saved" : "read"));

    /// <summary>A request was refused by a limit.</summary>
    /// <param name="limit"><c>account</c>, <c>address</c>, <c>anonymous</c> or <c>login</c>.</param>
    public static void Limited(string limit) => LimitedRequests.Add(1, Tag("limit", limit));

    /// <summary>The sweeper removed something.</summary>
    /// <param name="kind">What kind of thing, of a small fixed set.</param>
    /// <param name="count">How many.</param>
    public static void Swept(string kind, long count) => SweptItems.Add(count, Tag("kind", kind));

    /// <summary>Takes a blob in, within a span, and counts the result.</summary>
    /// <param name="path">The blob's path, without control characters.</param>
    /// <param name="takeIn">Takes it in.</param>
    /// <param name="cancellationToken">The token of <paramref name="takeIn"/>.</param>
    /// <returns>The result.</returns>
    public static async Task<Landed> IngestAsync(
        Func<string> path,
        Func<Task<Landed>> takeIn,
        CancellationToken cancellationToken
    )
    {
        using var span = Source.StartActivity("ingest", ActivityKind.Consumer);
        if (span is { IsAllDataRequested: true })
        {
            span.SetTag("images.path", path());
        }

        var outcome = "failed";
        try
        {
            var landed = await takeIn();
            outcome = landed.Outcome;
            if (landed.Lag is { } lag)
            {
                // It is known to about a second.
                IngestLag.Record(Math.Max(0, lag.TotalSeconds));
            }

            return landed;
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

    private static KeyValuePair<string, object?> Tag(string name, object? value) => new(name, value);

    private static string RouteOf(HttpContext context) =>
        context.Items.TryGetValue(RouteItem, out var route)
            ? (string)route!
            : (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "none";

    // As the semantic conventions require: a client can send any method.
    private static string MethodOf(string method) =>
        method is "GET" or "HEAD" or "POST" or "PUT" or "PATCH" or "DELETE" or "OPTIONS" ? method : "_OTHER";
}
