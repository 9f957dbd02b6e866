namespace ImagesFunctions.Pages;

/// <summary>A manifest that waits.</summary>
/// <param name="Repository">Its repository.</param>
/// <param name="Manifest">Its digest.</param>
/// <param name="Missing">What it waits for.</param>
/// <param name="Tags">The tags that wait with it.</param>
public sealed record WaitingLine(
    NamedPath Repository,
    string Manifest,
    IReadOnlyList<string> Missing,
    IReadOnlyList<string> Tags
);

/// <summary>A file that was refused.</summary>
/// <param name="Path">Its path in the container.</param>
/// <param name="Reason">Why.</param>
/// <param name="IsFailure">Whether storage failed, so that it is tried again.</param>
/// <param name="At">When.</param>
public sealed record RefusedLine(string Path, string Reason, bool IsFailure, DateTimeOffset At);

/// <summary>A manifest that is there, and about which something is to be known.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Manifest">It.</param>
/// <param name="Repository">Its repository.</param>
/// <param name="Reason">Why.</param>
/// <param name="Tags">Its tags.</param>
public sealed record NoteLine(
    string Kind,
    NamedPath Manifest,
    NamedPath Repository,
    string Reason,
    IReadOnlyList<string> Tags
);

/// <summary>What waits, what was refused, and what else is to be known. Of very many only the first ones.</summary>
/// <param name="Waiting">What waits.</param>
/// <param name="Refused">What was refused.</param>
/// <param name="Notes">What else is to be known.</param>
/// <param name="More">How many are not shown.</param>
/// <param name="Now">The time of the page.</param>
public sealed record ProblemsView(
    IReadOnlyList<WaitingLine> Waiting,
    IReadOnlyList<RefusedLine> Refused,
    IReadOnlyList<NoteLine> Notes,
    int More,
    DateTimeOffset Now
);
