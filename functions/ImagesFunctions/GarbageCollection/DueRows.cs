using ImagesFunctions.Journal;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.GarbageCollection;

/// <summary>
/// The partition of notes, as a sweeper sees it. Every change is by If-Match, so that any number of sweepers may work on it: a note
/// that was written anew while its namespace was swept stays.
/// </summary>
internal sealed class DueRows(StorageAccount account)
{
    // Whoever is killed leaves its namespace to the next pass. A sweep that takes longer may be made twice, which does no harm.
    private static readonly TimeSpan s_claim = TimeSpan.FromMinutes(30);

    /// <summary>How far the walk is, null before the first one, and what is due.</summary>
    public async Task<(WalkPlace? Place, List<DueNote> Notes)> ReadAsync(
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        WalkPlace? place = null;
        var notes = new List<DueNote>();
        var rows = account.ImageRows.StreamWithRetries(Keys.DuePartition, Keys.DueAt(now));
        await foreach (var row in rows.WithCancellation(cancellationToken))
        {
            if (row.Key == Keys.WalkPlace)
            {
                place = WalkPlace.From(row);
            }
            else
            {
                notes.Add(DueNote.From(row));
            }
        }

        return (place, notes);
    }

    /// <summary>Takes a note, so that others leave its namespace alone for a while. Null where somebody was faster.</summary>
    public async Task<DueNote?> ClaimAsync(DueNote note, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var claimed = note with { Until = now + s_claim };
        var change = new Change(note.Key, claimed.ToRow(), note.Version);
        var written = await account.ImageRows.PutAsync(Keys.DuePartition, change, cancellationToken);
        return written.IsDone ? claimed with { Version = written.First ?? default } : null;
    }

    /// <summary>Removes a note whose work is done, unless it was written anew since.</summary>
    public Task RemoveAsync(DueNote note, CancellationToken cancellationToken) =>
        account.ImageRows.PutAsync(Keys.DuePartition, new Change(note.Key, null, note.Version), cancellationToken);

    /// <summary>
    /// Moves the walk on to a namespace and takes a note of it, both or neither: so nobody else walks there, and where this process is
    /// killed the next pass finds the note.
    /// </summary>
    /// <returns>The walk's new place and the note; null where another sweeper has moved it on.</returns>
    public async Task<(WalkPlace Place, DueNote Note)?> MoveAsync(
        WalkPlace place,
        string @namespace,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        var moved = place with { After = @namespace };
        var note = DueNote.Of(@namespace, now) with { Until = now + s_claim };
        var written = await account.ImageRows.WriteAgainAsync(
            Keys.DuePartition,
            [moved.ToChange(), new Change(note.Key, note.ToRow())],
            cancellationToken
        );
        if (written.Outcome is WriteOutcome.Refused or WriteOutcome.Gone)
        {
            return null;
        }

        written.ThrowIfNotDone();
        var noted = written.Versions is [.., { } last] ? last : default;
        return (moved with { Version = written.First }, note with { Version = noted });
    }

    /// <summary>Writes how far the walk is. Null where another sweeper has moved it on.</summary>
    public async Task<WalkPlace?> PutAsync(WalkPlace place, CancellationToken cancellationToken)
    {
        var written = await account.ImageRows.PutAsync(Keys.DuePartition, place.ToChange(), cancellationToken);
        return written.IsDone ? place with { Version = written.First } : null;
    }

    /// <summary>How far the walk is now; null where it has not begun.</summary>
    public async Task<WalkPlace?> PlaceAsync(CancellationToken cancellationToken) =>
        await account.ImageRows.GetAsync(Keys.DuePartition, Keys.WalkPlace, cancellationToken) is { } row
            ? WalkPlace.From(row)
            : null;
}
