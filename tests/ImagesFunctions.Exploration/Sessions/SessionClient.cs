using ImagesFunctions.Exploration.Model;
using ImagesFunctions.Exploration.Scheduling;
using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Exploration.Sessions;

/// <summary>The blobs of parts: what a session's row names has to be among them.</summary>
internal sealed class ModelParts
{
    private readonly Dictionary<string, int> _offsets = new(StringComparer.Ordinal);
    private int _ids;

    /// <summary>Stores a part whose first byte is at an offset of its session; -1: at any.</summary>
    public UploadPart Write(int offset)
    {
        var part = new UploadPart($"part{_ids++}", 1);
        _offsets[part.Id] = offset;
        return part;
    }

    /// <summary>Removes a part.</summary>
    public void Remove(UploadPart part) => _offsets.Remove(part.Id);

    /// <summary>The offset of a part that is there; else null.</summary>
    public int? Find(UploadPart part) => _offsets.TryGetValue(part.Id, out var offset) ? offset : null;
}

/// <summary>What a client of a push session does.</summary>
/// <param name="Chunks">How many chunks it sends.</param>
/// <param name="HasRanges">Whether each says where it belongs; else it goes to the end, wherever that is.</param>
internal sealed record ClientPlan(int Chunks, bool HasRanges);

/// <summary>
/// A process with a client that appends chunks of a byte each to one session: what it does with the session's row is what
/// <c>UploadSessions</c> and <c>UploadChunks</c> do. It begins with the row as it last wrote it.
/// </summary>
/// <param name="world">The world.</param>
/// <param name="actor">The process.</param>
/// <param name="storage">The table.</param>
/// <param name="parts">The parts.</param>
/// <param name="plan">What the client does.</param>
internal class SessionClient(World world, Actor actor, ModelStorage storage, ModelParts parts, ClientPlan plan)
{
    /// <summary>The session.</summary>
    public const string Id = "0123456789abcdef0123456789abcdef";

    private readonly ModelTable _table = new(world, actor, storage);
    private UploadRow? _recent;

    /// <summary>The parts that were acknowledged.</summary>
    public List<UploadPart> Acknowledged { get; } = [];

    private static CancellationToken Never => CancellationToken.None;

    /// <summary>Appends them: each where the session ends as far as the client knows, which asks after an error.</summary>
    public async Task RunAsync()
    {
        var offset = 0;
        for (var i = 0; i < plan.Chunks; i++)
        {
            try
            {
                offset = await PatchAsync(offset) ?? await OffsetAsync();
            }
            catch (IOException)
            {
                _recent = null;
            }
        }
    }

    /// <summary>Whether a session that this process did not move, as far as it knows, was moved by it: then it names the part.</summary>
    protected virtual bool Names(UploadRow now, UploadPart part) => now.Parts.Contains(part);

    /// <summary>What the row's version has to be when it is written.</summary>
    protected virtual VersionTag? Condition(VersionTag read) => read;

    // Writes the row of a session, if it is as it was read.
    private Task<WriteResult> PutAsync(UploadRow row, VersionTag version) =>
        _table.WriteAgainAsync(new Change(row.Key, row.ToRow(), Condition(version)));

    // The new offset; null: the request came too late (416).
    private async Task<int?> PatchAsync(int offset)
    {
        var (recent, isRecent) = (_recent, _recent is not null);
        var session = recent ?? await FindAsync();
        if (!Fits(session, offset))
        {
            return null;
        }

        var part = parts.Write(plan.HasRanges ? offset : -1);
        var moved = await AppendAsync(session, part) ?? await AppendElsewhereAsync(part, offset, isRecent);
        if (moved is null)
        {
            return null;
        }

        Acknowledged.Add(part);
        return (int)moved.Offset;
    }

    private bool Fits(UploadRow session, int offset) => !plan.HasRanges || session.Offset == offset;

    private async Task<UploadRow?> AppendAsync(UploadRow session, UploadPart part)
    {
        var moved = session with { Parts = [.. session.Parts, part] };
        var written = await PutAsync(moved, session.RowETag);
        if (written.IsDone)
        {
            return _recent = moved with { RowETag = written.First ?? default };
        }

        // After a lost answer the refusal may be our own success: the row tells.
        var now = await FindAsync();
        if (Names(now, part))
        {
            return _recent = now;
        }

        _recent = null;
        return null;
    }

    private async Task<UploadRow?> AppendElsewhereAsync(UploadPart part, int offset, bool isRecent)
    {
        var session = await FindAsync();
        if (Names(session, part))
        {
            return session;
        }

        if (isRecent && Fits(session, offset) && await AppendAsync(session, part) is { } moved)
        {
            return moved;
        }

        parts.Remove(part);
        return null;
    }

    private async Task<int> OffsetAsync() => (int)(_recent = await FindAsync()).Offset;

    private async Task<UploadRow> FindAsync() =>
        UploadRow.From((await _table.GetAsync(ModelStorage.Partition, Keys.Upload(Id), Never))!);
}
