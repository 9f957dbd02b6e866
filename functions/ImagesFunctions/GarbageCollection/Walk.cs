using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.GarbageCollection;

/// <summary>
/// Goes over all namespaces, slowly, for what no note tells: blobs whose event was lost or that somebody has removed, and stores of a
/// version that leaves no notes. A pass takes it on by as many requests as <see cref="SweepOptions.WalkRequests"/> says, and the
/// next one goes on there. Several processes may do that at once: each takes the next namespace.
/// </summary>
internal sealed class Walk(
    StorageAccount account,
    DueRows rows,
    Visits visits,
    SweepOptions options,
    SweepCounts counts,
    ILogger log
)
{
    // A quarter of the time that the host gives a pass: what is due has to have its turn.
    private static readonly TimeSpan s_time = TimeSpan.FromMinutes(15);

    private readonly Namespaces _namespaces = new(account);
    private readonly HashSet<string> _visited = new(StringComparer.Ordinal);
    private readonly long _started = Environment.TickCount64;

    /// <summary>The namespaces that it has swept.</summary>
    public IReadOnlySet<string> Visited => _visited;

    private DateTimeOffset Now => account.Clock.UtcNow + options.Later;

    private bool IsOver => Environment.TickCount64 - _started > s_time.TotalMilliseconds;

    /// <summary>Goes on with the walk, or begins one, where it is time. Failures of storage are logged and counted, not thrown.</summary>
    /// <param name="read">How far it is; null before the first one.</param>
    /// <param name="cancellationToken">Cancels it between any two steps; the next pass goes on.</param>
    public async Task RunAsync(WalkPlace? read, CancellationToken cancellationToken)
    {
        if (options.WalkRequests == 0 || read?.IsOnAt(Now, options.WalkTime) == false)
        {
            return;
        }

        try
        {
            await WalkAsync(read?.GoneOn(Now) ?? new WalkPlace("", Now, Ended: null, Debt: 0, Version: null));
        }
        catch (Exception error) when (Visits.IsFailure(error) && !cancellationToken.IsCancellationRequested)
        {
            log.LogError(error, "The walk over all namespaces goes on with the next pass");
            counts.Add(SweepKind.Left);
        }

        async Task WalkAsync(WalkPlace place)
        {
            var sent = RequestCount.Begin();
            var allowed = options.WalkRequests - place.Debt;
            var isAtEnd = false;
            if (allowed > 0)
            {
                (place, isAtEnd) = await StepsAsync(place, sent, allowed, cancellationToken);
            }

            await LeaveAsync(place, isAtEnd, debt: Math.Max(0, sent.Sent - allowed), cancellationToken);
        }
    }

    // One namespace at least, and as many as there are requests for, if each takes no more than those before.
    private async Task<(WalkPlace Place, bool IsAtEnd)> StepsAsync(
        WalkPlace place,
        RequestCount sent,
        long allowed,
        CancellationToken cancellationToken
    )
    {
        var folders = await _namespaces.FoldersAsync(cancellationToken);
        // What the longest of them took, with the one that says how far the walk came.
        var most = 1;
        while (most == 1 || (sent.Sent + most <= allowed && !IsOver))
        {
            var before = sent.Sent;
            if (await _namespaces.NextAsync(folders, place.After, cancellationToken) is not { } next)
            {
                return (place, true);
            }

            if (await rows.MoveAsync(place, next, Now, cancellationToken) is { } moved)
            {
                place = moved.Place;
                await VisitAsync(moved.Note, cancellationToken);
                most = Math.Max(most, sent.Sent - before + 1);
            }
            else if (await rows.PlaceAsync(cancellationToken) is { Ended: null } other)
            {
                place = other;
            }
            else
            {
                break;
            }
        }

        return (place, false);
    }

    private async Task VisitAsync(DueNote note, CancellationToken cancellationToken)
    {
        if (await visits.VisitAsync(note.Namespace, options, dryRun: false, counts, cancellationToken))
        {
            await rows.RemoveAsync(note, cancellationToken);
            _visited.Add(note.Namespace);
        }
    }

    private async Task LeaveAsync(WalkPlace place, bool isAtEnd, long debt, CancellationToken cancellationToken)
    {
        var left = place with { Ended = isAtEnd ? Now : place.Ended, Debt = debt };
        if (left != place)
        {
            // Refused where another sweeper has moved it on: then that one says how far it is.
            await rows.PutAsync(left, cancellationToken);
        }

        if (left.IsLateAt(Now, options.WalkTime))
        {
            counts.Add(SweepKind.WalkLate);
            log.LogWarning(
                "The walk over all namespaces takes longer than {Setting}: it began {Begun}, and is behind {Namespace}",
                SweepOptions.WalkTimeSetting,
                left.Begun,
                left.After
            );
        }
    }
}
