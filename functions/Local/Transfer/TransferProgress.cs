using System.Collections.Concurrent;
using Spectre.Console;

namespace ImagesFunctions.Local;

/// <summary>One thing that is sent or received.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Length">How many bytes it has.</param>
internal sealed record TransferItem(string Name, long Length)
{
    private long _at;

    /// <summary>How many of its bytes are there.</summary>
    public long At
    {
        get => Interlocked.Read(ref _at);
        set => Interlocked.Exchange(ref _at, value);
    }

    /// <summary>How many were there before it began.</summary>
    public long From { get; set; }

    /// <summary>So many more of its bytes are there.</summary>
    public void Advance(long bytes) => Interlocked.Add(ref _at, bytes);
}

/// <summary>What people see of a transfer: a bar a layer on a terminal, and a line each few seconds elsewhere.</summary>
/// <param name="errors">Where it is written.</param>
internal sealed class TransferProgress(TextWriter errors)
{
    private static readonly TimeSpan s_frame = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_line = TimeSpan.FromSeconds(5);

    private readonly ConcurrentQueue<string> _notes = new();
    private readonly List<TransferItem> _items = [];
    private readonly Lock _gate = new();

    /// <summary>How many bytes were sent or received, without those that were there before.</summary>
    public long Moved => Items().Sum(i => i.At - i.From);

    /// <summary>How many bytes of it were there before.</summary>
    public long Kept => Items().Sum(i => i.From);

    /// <summary>What it came to, as a sentence.</summary>
    public string Summary =>
        $"{Values.Size(Moved)} went over the network{(Kept > 0 ? $"; {Values.Size(Kept)} were there" : "")}.";

    /// <summary>Shows something more.</summary>
    public TransferItem Add(string name, long length)
    {
        var item = new TransferItem(name, length);
        lock (_gate)
        {
            _items.Add(item);
        }

        return item;
    }

    /// <summary>Says something, such as a wait.</summary>
    public void Note(string text) => _notes.Enqueue(text);

    /// <summary>Does something, and shows how far it is.</summary>
    public Task RunAsync(Func<Task> action) =>
        Screen.IsTerminal(errors) ? RunWithBarsAsync(action) : RunWithLinesAsync(action);

    private List<TransferItem> Items()
    {
        lock (_gate)
        {
            return [.. _items];
        }
    }

    private async Task RunWithBarsAsync(Func<Task> action)
    {
        var console = Screen.On(errors);
        await console
            .Progress()
            .HideCompleted(false)
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn(),
                new DownloadedColumn(),
                new TransferSpeedColumn(),
                new RemainingTimeColumn()
            )
            .StartAsync(async context =>
            {
                var bars = new Dictionary<TransferItem, ProgressTask>(ReferenceEqualityComparer.Instance);
                var running = action();
                do
                {
                    await Task.WhenAny(running, Task.Delay(s_frame));
                    foreach (var item in Items())
                    {
                        if (!bars.TryGetValue(item, out var bar))
                        {
                            bar = context.AddTask(Markup.Escape(item.Name), maxValue: Math.Max(1, item.Length));
                            bars.Add(item, bar);
                        }

                        bar.Value = item.Length == 0 ? 1 : item.At;
                    }

                    while (_notes.TryDequeue(out var note))
                    {
                        console.MarkupLineInterpolated($"[yellow]{note}[/]");
                    }
                } while (!running.IsCompleted);
                await running;
            });
    }

    private async Task RunWithLinesAsync(Func<Task> action)
    {
        var began = TimeProvider.System.GetTimestamp();
        var running = action();
        var next = s_line;
        do
        {
            await Task.WhenAny(running, Task.Delay(s_frame));
            while (_notes.TryDequeue(out var note))
            {
                await errors.WriteLineAsync(note);
            }

            var elapsed = TimeProvider.System.GetElapsedTime(began);
            if (elapsed > next && !running.IsCompleted)
            {
                next = elapsed + s_line;
                await errors.WriteLineAsync(Line(elapsed));
            }
        } while (!running.IsCompleted);
        await running;
    }

    private string Line(TimeSpan elapsed)
    {
        var items = Items();
        var (at, length) = (items.Sum(i => i.At), items.Sum(i => i.Length));
        var rate = Moved / elapsed.TotalSeconds;
        var left = rate > 0 ? $", {(length - at) / rate:0} s left" : "";
        return $"{Values.Size(at)} of {Values.Size(length)}, {Values.Size((long)rate)}/s{left}";
    }
}
