using System.Collections.Concurrent;
using ImagesFunctions.Journal;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Rows;

/// <summary>
/// Leaves notes for the sweeper: from which hour on a namespace has something to collect. A note is written before what it is about,
/// so that a kill between the two loses nothing; all processes write the same row for the same namespace and hour. A note too many
/// costs one sweep of the namespace; what no note tells is found by the walk over all namespaces.
/// </summary>
internal sealed class DueNotes(StorageAccount account)
{
    // For so long one note stands for all that this process writes to a namespace.
    private static readonly TimeSpan s_holds = TimeSpan.FromHours(1);

    // Then the first is to be collected of what was written until then: the log, which is kept for an hour.
    private static readonly TimeSpan s_ahead = TimeSpan.FromHours(2);

    private readonly ConcurrentDictionary<string, Noted> _noted = new(StringComparer.Ordinal);

    // Begun by the first who waits for it.
    private sealed record Noted(DateTimeOffset At, Lazy<Task> Writing)
    {
        public bool HoldsAt(DateTimeOffset now) =>
            (now - At).Duration() < s_holds && !(Writing.IsValueCreated && Writing.Value.IsFaulted);
    }

    /// <summary>
    /// Before this process writes to a namespace what a sweep may have to collect. It costs one request an hour, namespace and process,
    /// which callers at the same time share.
    /// </summary>
    /// <param name="namespace">The namespace, or the partition of refusals without one.</param>
    /// <param name="cancellationToken">Ends the wait, not the request.</param>
    public Task AnnounceAsync(string @namespace, CancellationToken cancellationToken)
    {
        var now = account.Clock.UtcNow;
        if (!_noted.TryGetValue(@namespace, out var noted) || !noted.HoldsAt(now))
        {
            var first = new Noted(
                now,
                new Lazy<Task>(() => PutAsync(@namespace, now + s_ahead, CancellationToken.None))
            );
            noted = _noted.AddOrUpdate(@namespace, first, (_, other) => other.HoldsAt(now) ? other : first);
        }

        var writing = noted.Writing.Value;
        return writing.IsCompletedSuccessfully ? Task.CompletedTask : writing.WaitAsync(cancellationToken);
    }

    /// <summary>
    /// Notes that there is something for the next pass of the sweeper already. Called behind what it is about, which was announced
    /// before: a pass that runs at this moment might take the note before that is written. Costs a request each time.
    /// </summary>
    public Task AnnounceNowAsync(string @namespace, CancellationToken cancellationToken) =>
        PutAsync(DueNote.Of(@namespace, account.Clock.UtcNow), cancellationToken);

    /// <summary>Notes that a namespace has something to collect from a moment on, to which the next full hour is near enough.</summary>
    /// <param name="namespace">The namespace, or the partition of refusals without one.</param>
    /// <param name="from">The moment.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    public Task PutAsync(string @namespace, DateTimeOffset from, CancellationToken cancellationToken)
    {
        var hour = TimeSpan.TicksPerHour;
        var up = (hour - (from.UtcTicks % hour)) % hour;
        return PutAsync(DueNote.Of(@namespace, from.AddTicks(up)), cancellationToken);
    }

    private async Task PutAsync(DueNote note, CancellationToken cancellationToken)
    {
        var change = new Change(note.Key, note.ToRow());
        (await account.ImageRows.PutAsync(Keys.DuePartition, change, cancellationToken)).ThrowIfNotDone();
    }
}
