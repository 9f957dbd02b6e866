using System.Globalization;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;
using ImagesFunctions.Telemetry;
using Microsoft.Extensions.Logging;

namespace ImagesFunctions.Repositories;

/// <summary>Why a blob is refused.</summary>
internal enum RefusalKind
{
    /// <summary>Its path is not one of a layout.</summary>
    Path,

    /// <summary>Its bytes do not hash to the digest of its path.</summary>
    Digest,

    /// <summary>It is not a valid manifest.</summary>
    Manifest,

    /// <summary>It is not a valid <c>index.json</c>.</summary>
    Index,

    /// <summary>Storage failed too often.</summary>
    Storage,

    /// <summary>Its account has no room for it.</summary>
    Quota,
}

/// <summary>Records why blobs of the container are refused: the answer to "why is it not listed?"</summary>
internal sealed class Refusals(RowStore rowStore, StorageClock clock, ILogger<Refusals> log)
{
    private const int MaxReason = 2_000;
    private static readonly TimeSpan Kept = TimeSpan.FromDays(30);

    /// <summary>Refuses bad input, until valid bytes land at the same path.</summary>
    public Task RefuseAsync(
        RefusalKind kind,
        string path,
        string reason,
        Digest? actual,
        CancellationToken cancellationToken
    ) => PutAsync(kind, path, reason, actual, cancellationToken);

    /// <summary>As the other overload, for a file of a layout.</summary>
    public Task RefuseAsync(
        RefusalKind kind,
        LayoutPath path,
        string reason,
        Digest? actual,
        CancellationToken cancellationToken
    ) => PutAsync(kind, path.ToString(), reason, actual, cancellationToken);

    /// <summary>Records that storage failed until the host gave up.</summary>
    public Task FailAsync(string path, string reason, CancellationToken cancellationToken) =>
        PutAsync(RefusalKind.Storage, path, reason, null, cancellationToken);

    /// <summary>
    /// Removes a refusal. True when there was one: the caller has to check that the blob is still the one that it verified,
    /// because the refusal may have been of a newer one.
    /// </summary>
    public Task<bool> ClearAsync(string path, CancellationToken cancellationToken) =>
        rowStore.RemoveRefusedAsync(path, cancellationToken);

    /// <summary>As the other overload, for a file of a layout.</summary>
    public Task<bool> ClearAsync(LayoutPath path, CancellationToken cancellationToken) =>
        ClearAsync(path.ToString(), cancellationToken);

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
        var row = new RefusedRow(path, text, actual?.ToString(), kind == RefusalKind.Storage, now, now + Kept)
        {
            IsOverQuota = kind == RefusalKind.Quota,
        };
        // The same refusal again, after a start or by a duplicate event, is not reported again.
        if (await rowStore.RefusedAsync(path, cancellationToken) is { } before && IsSame(before, row))
        {
            row = row with { At = before.At };
        }
        else
        {
            log.LogWarning("Refused {Path}: {Reason}", Visible(path), text);
            Metrics.Refused(kind.ToString().ToLowerInvariant());
        }

        await rowStore.PutRefusedAsync(row, cancellationToken);
    }

    // How much the account takes differs each time.
    private static bool IsSame(RefusedRow before, RefusedRow row) =>
        before.Reason == row.Reason || (before.IsOverQuota && row.IsOverQuota);

    /// <summary>
    /// The text with control characters and line ends escaped, because it contains refused input and goes to terminals and
    /// logs.
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
}
