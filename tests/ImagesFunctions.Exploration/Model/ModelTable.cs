using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;
using ImagesFunctions.Tests.Support;

namespace ImagesFunctions.Exploration.Model;

/// <summary>What all processes of a world share: a table, and what it has seen.</summary>
/// <param name="world">The world.</param>
public sealed class ModelStorage(World world)
{
    /// <summary>The partition that all write to.</summary>
    public const string Partition = "p";

    private readonly MemoryTable _rows = new();

    /// <summary>What the table has seen.</summary>
    public Truth Truth { get; } = new();

    /// <summary>What happened to the table, in order: how tests replay it elsewhere. Null: nobody listens.</summary>
    public Action<TableCall>? Heard { get; set; }

    /// <summary>How what the account takes is counted; null: it has no quota, and nothing is.</summary>
    internal Quota? Quota { get; init; }

    /// <summary>All rows as they stand.</summary>
    public IReadOnlyList<TableRow> Rows => _rows.Rows(Partition);

    /// <summary>A row as it stands.</summary>
    public TableRow? Find(string key) => _rows.Find(Partition, key);

    /// <summary>Reads a row, or the rows of a range.</summary>
    internal IReadOnlyList<TableRow> Read(KeyRange range, bool isPoint)
    {
        IReadOnlyList<TableRow> rows = isPoint
            ? (Find(range.From) is { } row ? [row] : [])
            : [.. Rows.Where(row => range.Contains(row.Key))];
        Heard?.Invoke(new TableCall(range, isPoint, rows, [], default));
        return rows;
    }

    /// <summary>A transaction takes effect, or is refused.</summary>
    internal WriteResult Write(IReadOnlyList<Change> changes)
    {
        _rows.Now = DateTimeOffset.UnixEpoch + world.Now;
        var result = _rows.Write(Partition, changes);
        if (result.IsDone && Truth.Add(changes, world.Now) is { } wrong)
        {
            world.Fail(wrong);
        }

        if (Heard is not null)
        {
            IReadOnlyList<TableRow> written = result.IsDone
                ? [.. changes.Select(c => Find(c.Key)).OfType<TableRow>()]
                : [];
            Heard(new TableCall(default, IsPoint: false, written, changes, result));
        }

        return result;
    }
}

/// <summary>A call to the table as it took effect, and what came of it.</summary>
/// <param name="Range">What a read asked for; of a point read its first key.</param>
/// <param name="IsPoint">Whether it is a point read.</param>
/// <param name="Rows">What a read found, or the rows that a write has written.</param>
/// <param name="Changes">What a write changes; none of a read.</param>
/// <param name="Result">What came of a write.</param>
public sealed record TableCall(
    KeyRange Range,
    bool IsPoint,
    IReadOnlyList<TableRow> Rows,
    IReadOnlyList<Change> Changes,
    WriteResult Result
);

/// <summary>
/// The table as one process sees it. Each request takes effect at one moment, and its answer comes at a later one; in between
/// anything may happen. Answers get lost, and requests do, take effect after the process was told that nobody knows, or do twice.
/// </summary>
/// <param name="world">The world.</param>
/// <param name="actor">The process.</param>
/// <param name="storage">The table.</param>
public sealed class ModelTable(World world, Actor actor, ModelStorage storage) : IJournalTable
{
    private const int MaxSends = 5;

    private enum WriteFate
    {
        Answered,
        AnswerLost,
        RequestLost,
        Late,
        Twice,
    }

    /// <inheritdoc/>
    public async Task<TableRow?> GetAsync(string partition, string key, CancellationToken cancellationToken) =>
        await ReadAsync(new KeyRange(key, key), isPoint: true) is [var row, ..] ? row : null;

    /// <inheritdoc/>
    public Task<IReadOnlyList<TableRow>> RangeAsync(
        string partition,
        KeyRange range,
        CancellationToken cancellationToken
    ) => ReadAsync(range, isPoint: false);

    /// <inheritdoc/>
    public Task<WriteResult> WriteAsync(
        string partition,
        IReadOnlyList<Change> changes,
        CancellationToken cancellationToken
    )
    {
        var answer = new TaskCompletionSource<WriteResult>();
        var what = world.IsRecorded ? $"write {string.Join(' ', changes.Select(Text))}" : "";
        world.Add(actor, StepKind.Request, what, () => Arrive(what, changes, answer));
        return answer.Task;
    }

    /// <summary>Writes rows, all or none, again while there is no answer, as the SDK does.</summary>
    /// <exception cref="IOException">Storage does not answer.</exception>
    public async Task<WriteResult> WriteAgainAsync(params IReadOnlyList<Change> changes)
    {
        for (var sends = 1; sends <= MaxSends; sends++)
        {
            var result = await WriteAsync(ModelStorage.Partition, changes, CancellationToken.None);
            if (result.Outcome != WriteOutcome.Unclear)
            {
                return result;
            }
        }

        throw new IOException("storage does not answer");
    }

    private static string Text(Change change) =>
        $"{(change.Row is null ? "-" : "")}{change.Key}{(change.IfMatch is { } tag ? $"[{tag.Text}]" : "")}";

    private void Arrive(string what, IReadOnlyList<Change> changes, TaskCompletionSource<WriteResult> answer)
    {
        var fate = (WriteFate)world.Fate(5);
        var unclear = new WriteResult(WriteOutcome.Unclear, Error: new IOException("The connection was cut."));
        world.Say(actor, $"  {fate}");
        switch (fate)
        {
            case WriteFate.Answered:
                Answer(what, answer, storage.Write, changes);
                break;
            case WriteFate.AnswerLost:
                Apply(changes);
                Answer(what, answer, _ => unclear, changes);
                break;
            case WriteFate.RequestLost:
                Answer(what, answer, _ => unclear, changes);
                break;
            case WriteFate.Late:
                Answer(what, answer, _ => unclear, changes);
                world.Add(actor, StepKind.Request, $"late {what}", () => Apply(changes));
                break;
            default:
                Answer(what, answer, storage.Write, changes);
                world.Add(actor, StepKind.Request, $"again {what}", () => Apply(changes));
                break;
        }
    }

    // Whether it is done or refused, nobody is told.
    private void Apply(IReadOnlyList<Change> changes)
    {
        try
        {
            world.Say(actor, $"  {storage.Write(changes).Outcome}");
        }
        catch (InvalidOperationException)
        {
            // What no state of the table would accept.
        }
    }

    private void Answer(
        string what,
        TaskCompletionSource<WriteResult> answer,
        Func<IReadOnlyList<Change>, WriteResult> write,
        IReadOnlyList<Change> changes
    )
    {
        try
        {
            var result = write(changes);
            world.Say(actor, $"  {result.Outcome}");
            world.Add(actor, StepKind.Answer, $"answer of {what}", () => answer.SetResult(result));
        }
        catch (InvalidOperationException error)
        {
            world.Add(actor, StepKind.Answer, $"error of {what}", () => answer.SetException(error));
        }
    }

    private Task<IReadOnlyList<TableRow>> ReadAsync(KeyRange range, bool isPoint)
    {
        var answer = new TaskCompletionSource<IReadOnlyList<TableRow>>();
        var what =
            !world.IsRecorded ? ""
            : isPoint ? $"get {range.From}"
            : $"scan {range.From} {range.To}";
        world.Add(
            actor,
            StepKind.Request,
            what,
            () =>
            {
                if (world.Fate(2) == 1)
                {
                    var error = new IOException("The connection was cut.");
                    world.Add(actor, StepKind.Answer, $"no answer of {what}", () => answer.SetException(error));
                    return;
                }

                var rows = storage.Read(range, isPoint);
                world.Add(actor, StepKind.Answer, $"answer of {what}", () => answer.SetResult(rows));
            }
        );
        return answer.Task;
    }
}
