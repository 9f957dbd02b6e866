using System.Security.Cryptography;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Blobs;

/// <summary>
/// Push sessions: their rows, which move only by comparing ETags. Their bytes are <see cref="UploadParts"/>, of which each attempt
/// writes its own. So any number of clients and processes may work on one session at once, and it is never torn.
/// </summary>
internal sealed class UploadSessions(StorageAccount account, UploadParts uploadParts, DueNotes due)
{
    private const int MaxSends = 6;

    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan MaxDelay = TimeSpan.FromSeconds(4);

    private readonly StoredTable _rows = account.ImageRows;
    private readonly RecentSessions _recent = new();

    /// <summary>A session's id.</summary>
    public static string NewSession() => RandomNumberGenerator.GetHexString(32, lowercase: true);

    /// <summary>Begins a session.</summary>
    public async Task<UploadRow> BeginAsync(
        Repository repository,
        string algorithm,
        CancellationToken cancellationToken
    )
    {
        var row = new UploadRow(repository.App, NewSession(), algorithm, [], account.Clock.UtcNow);
        await due.AnnounceAsync(repository.Namespace, cancellationToken);
        // Nobody else has this id: a second try after a lost answer writes the same.
        var written = await _rows.PutAsync(repository.Namespace, new Change(row.Key, row.ToRow()), cancellationToken);
        written.ThrowIfNotDone();
        return Kept(repository, row with { RowETag = written.First ?? default });
    }

    /// <summary>
    /// The session as this process last wrote it, which costs no request; null where it did not, or where others were found to
    /// have moved it since.
    /// </summary>
    public UploadRow? Recent(Repository repository, string id) =>
        _recent.Find(repository.Namespace, id) is { } row && row.App == repository.App ? row : null;

    /// <summary>The session, or null when the repository has none of this id.</summary>
    public async Task<UploadRow?> FindAsync(Repository repository, string id, CancellationToken cancellationToken) =>
        id.Length == 32
        && id.All(char.IsAsciiHexDigitLower)
        && await _rows.GetAsync(repository.Namespace, Keys.Upload(id), cancellationToken) is { } entity
        && UploadRow.From(entity) is var row
        && row.App == repository.App
            ? row
            : null;

    /// <summary>Adds a part to the session. Null when somebody else has moved or ended it; then the part is still there.</summary>
    /// <param name="repository">The repository.</param>
    /// <param name="session">The session that it is added to.</param>
    /// <param name="part">The part.</param>
    /// <param name="inline">Its bytes, where they are to stand in the row; null where a blob holds them.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<UploadRow?> AppendAsync(
        Repository repository,
        UploadRow session,
        UploadPart part,
        ReadOnlyMemory<byte>? inline,
        CancellationToken cancellationToken
    )
    {
        if (session.Inline is not null)
        {
            session = await uploadParts.OutlinedAsync(repository, session, cancellationToken);
        }

        var moved = session with { Parts = [.. session.Parts, part], Inline = inline, Updated = account.Clock.UtcNow };
        var shorter = await uploadParts.MergedAsync(repository, moved, cancellationToken);
        var written = await _rows.PutAsync(
            repository.Namespace,
            new Change(shorter.Key, shorter.ToRow(), session.RowETag),
            cancellationToken
        );
        if (written.IsDone)
        {
            await uploadParts.RemoveAsync(repository, session.Id, moved.Parts.Except(shorter.Parts));
            return Kept(repository, shorter with { RowETag = written.First ?? default });
        }

        // After a lost answer the refusal may be our own success, even where others have moved the session on since: the row tells
        // by the last part, whose id nobody else has.
        var now = await FindAsync(repository, session.Id, cancellationToken);
        if (now is not null && now.Parts.Contains(shorter.Parts[^1]))
        {
            return Kept(repository, now);
        }

        _recent.Forget(repository.Namespace, session.Id);
        var lost = shorter.Parts.Except(moved.Parts).Except(now?.Parts ?? []);
        await uploadParts.RemoveAsync(repository, session.Id, lost);
        return null;
    }

    /// <summary>Ends a session. False when there was none any more. What it stored goes with it, or later with the sweeper.</summary>
    public async Task<bool> EndAsync(Repository repository, UploadRow session, CancellationToken cancellationToken) =>
        await EndAsync(repository, session, ifMatch: null, cancellationToken) == WriteOutcome.Done;

    /// <summary>Ends a session that this process remembers. False when another process has moved it since: then it lives on.</summary>
    public async Task<bool> EndRecentAsync(
        Repository repository,
        UploadRow session,
        CancellationToken cancellationToken
    ) => await EndAsync(repository, session, session.RowETag, cancellationToken) != WriteOutcome.Refused;

    private async Task<WriteOutcome> EndAsync(
        Repository repository,
        UploadRow session,
        VersionTag? ifMatch,
        CancellationToken cancellationToken
    )
    {
        _recent.Forget(repository.Namespace, session.Id);
        var outcome = await RemoveAsync(
            repository.Namespace,
            new Change(session.Key, null, ifMatch),
            cancellationToken
        );
        if (outcome == WriteOutcome.Done && session.Inline is null)
        {
            await uploadParts.RemoveAsync(repository, session.Id, session.Parts);
        }

        return outcome;
    }

    private UploadRow Kept(Repository repository, UploadRow row)
    {
        _recent.Keep(repository.Namespace, row);
        return row;
    }

    // By a transaction, because only that tells the removal of a row from that of none. Done, gone or refused.
    private async Task<WriteOutcome> RemoveAsync(string @namespace, Change removal, CancellationToken cancellationToken)
    {
        for (var sends = 1; ; sends++)
        {
            var result = await _rows.WriteAsync(@namespace, [removal], cancellationToken);
            if (result.Outcome is WriteOutcome.Gone or WriteOutcome.Refused)
            {
                // After a lost answer that it is gone is our own doing.
                return result.Outcome == WriteOutcome.Gone && sends > 1 ? WriteOutcome.Done : result.Outcome;
            }

            if (result.Outcome != WriteOutcome.Unclear || sends == MaxSends)
            {
                result.ThrowIfNotDone();
                return WriteOutcome.Done;
            }

            await Backoff.DelayAsync(sends, FirstDelay, MaxDelay, cancellationToken);
        }
    }
}
