using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Testing;

namespace ImagesFunctions.Tests.Operation;

/// <summary>One measurement, and the trace that it was made in.</summary>
public sealed record Measured(string Name, double Value, string Tags, ActivityTraceId Trace);

/// <summary>
/// Hears the spans and the measurements of its own traces, whatever else this process does, and a log where it is added.
/// </summary>
internal sealed class Heard : IDisposable
{
    private readonly ConcurrentDictionary<ActivityTraceId, bool> _own = new();
    private readonly ConcurrentQueue<Activity> _spans = [];
    private readonly ConcurrentQueue<Measured> _measured = [];
    private readonly ActivityListener _activities;
    private readonly MeterListener _meters;

    public Heard()
    {
        _activities = new ActivityListener
        {
            ShouldListenTo = _ => true,
            // What other tests do is not even made into spans.
            Sample = (ref ActivityCreationOptions<ActivityContext> options) =>
                _own.ContainsKey(options.TraceId)
                    ? ActivitySamplingResult.AllDataAndRecorded
                    : ActivitySamplingResult.None,
            ActivityStopped = span =>
            {
                if (_own.ContainsKey(span.TraceId))
                {
                    _spans.Enqueue(span);
                }
            },
        };
        ActivitySource.AddActivityListener(_activities);
        _meters = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == TelemetryExport.Name)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        _meters.SetMeasurementEventCallback<long>((i, value, tags, _) => Add(i, value, tags));
        _meters.SetMeasurementEventCallback<double>((i, value, tags, _) => Add(i, value, tags));
        _meters.Start();
    }

    /// <summary>A span that begins a trace of its own: all that is done below it is heard. Dispose it when that is done.</summary>
    public Activity Begin()
    {
        var span = new Activity("test");
        // Not below the span of another test, or of the runner.
        Activity.Current = null;
        span.Start();
        _own[span.TraceId] = true;
        return span;
    }

    /// <summary>The log, of hosts that it is added to.</summary>
    public FakeLoggerProvider Log { get; } = new();

    public IEnumerable<Activity> Spans => _spans;

    /// <summary>Everything that was heard, as text.</summary>
    public string Everything =>
        string.Join(
            '\n',
            Log.Collector.GetSnapshot()
                .Select(Text)
                .Concat(_spans.Select(Text))
                .Concat(_measured.Select(m => $"{m.Name} {m.Tags}"))
        );

    /// <summary>Everything, once this is part of it: a blob is counted after its row is written.</summary>
    public Task<string> UntilAsync(string text) =>
        Until.SomeAsync(
            () => Task.FromResult(Everything is var all && all.Contains(text, StringComparison.Ordinal) ? all : null),
            () => Task.FromResult(Everything)
        );

    public IEnumerable<Activity> SpansOf(ActivityTraceId trace) => _spans.Where(s => s.TraceId == trace);

    /// <summary>What was measured in a trace, as "name tag=value …", without the values.</summary>
    public IEnumerable<string> Of(ActivityTraceId trace) =>
        _measured.Where(m => m.Trace == trace).Select(m => $"{m.Name} {m.Tags}".Trim());

    public IEnumerable<Measured> MeasuredIn(ActivityTraceId trace) => _measured.Where(m => m.Trace == trace);

    public void Dispose()
    {
        _activities.Dispose();
        _meters.Dispose();
        Log.Dispose();
    }

    private static string Text(FakeLogRecord line) =>
        $"{line.Level} {line.Category} {line.Message} {line.State} {string.Join(' ', line.Scopes)} {line.Exception}";

    private static string Text(Activity span) =>
        $"{span.Source.Name} {span.DisplayName} {span.StatusDescription} {string.Join(' ', span.TagObjects)} "
        + $"{string.Join(' ', span.Baggage)} {string.Join(' ', span.Events.Select(e => e.Name + string.Join(' ', e.Tags)))}";

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (Activity.Current is not { } span || !_own.ContainsKey(span.TraceId))
        {
            return;
        }

        var text = new List<string>();
        foreach (var (name, of) in tags)
        {
            text.Add($"{name}={of}");
        }

        _measured.Enqueue(new Measured(instrument.Name, value, string.Join(' ', text), span.TraceId));
    }
}
