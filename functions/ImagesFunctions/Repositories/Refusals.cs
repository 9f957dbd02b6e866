using System.Globalization;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using ImagesFunctions.Telemetry;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.Repositories;

/// <summary>What kind of thing is wrong with a blob.</summary>
internal enum RefusalKind
{
    /// <summary>Its path is none of a layout.</summary>
    Path,

    /// <summary>Its bytes do not hash to what its path says.</summary>
    Digest,

    /// <summary>It is no usable manifest.</summary>
    Manifest,

    /// <summary>It is no usable <c>index.json</c>.</summary>
    Index,

    /// <summary>Storage failed too often.</summary>
    Storage,
}

/// <summary>Records why a blob of the container does not count, for whoever asks why it is not listed.</summary>
internal sealed partial class Refusals(RowStore rowStore, StorageClock clock, ILogger<Refusals> log)
{
    private const int MaxReason = 2_000;
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    /// <summary>The input is bad. It heals when good bytes land at the same path.</summary>
    public Task RefuseAsync(
        RefusalKind kind,
        string path,
        string reason,
        Digest? actual,
        CancellationToken cancellationToken
    ) => PutAsync(kind, path, reason, actual, cancellationToken);

    /// <summary>Storage failed so often that the try was given up.</summary>
    public Task FailAsync(string path, string reason, CancellationToken cancellationToken) =>
        PutAsync(RefusalKind.Storage, path, reason, null, cancellationToken);

    /// <summary>
    /// Nothing is wrong any more. True when there was a refusal: whoever took it back has to look whether the blob is still
    /// the one that he found good, because it may have been the refusal of a newer one.
    /// </summary>
    public Task<bool> ClearAsync(string path, CancellationToken cancellationToken) =>
        rowStore.RemoveRefusedAsync(path, cancellationToken);

    private async Task PutAsync(
        RefusalKind kind,
        string path,
        string reason,
        Digest? actual,
        CancellationToken cancellationToken
    )
    {
        var now = clock.UtcNow;
        var text = Visible(reason.Length > MaxReason ? reason[..MaxReason] + "…" : reason);
        var row = new RefusedRow(path, text, actual?.ToString(), kind == RefusalKind.Storage, now, now + Kept);
        // The same again, at a start or by a repeated event, is no news.
        if (await rowStore.RefusedAsync(path, cancellationToken) is { } before && before.Reason == row.Reason)
        {
            row = row with { At = before.At };
        }
        else
        {
            LogRefused(Visible(path), text);
            Metrics.Refused(kind.ToString().ToLowerInvariant());
        }

        await rowStore.PutRefusedAsync(row, cancellationToken);
    }

    /// <summary>
    /// The text with everything that a terminal would obey, or a log take for a new line, made visible: the input that
    /// was refused stands in it.
    /// </summary>
    public static string Visible(string text) =>
        text.Any(IsInvisible)
            ? string.Concat(text.Select(c => IsInvisible(c) ? $"\\u{(int)c:x4}" : c.ToString()))
            : text;

    private static bool IsInvisible(char c) =>
        char.IsControl(c)
        || char.IsSurrogate(c)
        || char.GetUnicodeCategory(c)
            is UnicodeCategory.Format
                or UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator;

    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused {Path}: {Reason}")]
    private partial void LogRefused(string path, string reason);
}
