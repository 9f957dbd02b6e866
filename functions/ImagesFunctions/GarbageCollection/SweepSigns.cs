using System.Globalization;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.GarbageCollection;

/// <summary>What the store shows of the work of its sweepers, for whoever looks after it. All times are by storage's clock.</summary>
/// <param name="Now">When it was looked at.</param>
/// <param name="Walked">When the walk over all namespaces was last taken on; null: it never was.</param>
/// <param name="Program">The version of the program that did that; null: one that does not say so.</param>
/// <param name="Due">The hour of the oldest note that waits for a pass; null: none waits.</param>
/// <param name="Namespace">The namespace of that note.</param>
public sealed record SweepSigns(
    DateTimeOffset Now,
    DateTimeOffset? Walked,
    string? Program,
    DateTimeOffset? Due,
    string? Namespace
)
{
    /// <summary>Looks, in two requests.</summary>
    internal static async Task<SweepSigns> ReadAsync(StorageAccount account, CancellationToken cancellationToken)
    {
        var place = await account.ImageRows.GetAsync(Keys.DuePartition, Keys.WalkPlace, cancellationToken);
        var now = account.Clock.UtcNow;
        var signs = new SweepSigns(
            now,
            place?.Timestamp,
            place?.GetString(WalkPlace.Program),
            Due: null,
            Namespace: null
        );
        var rows = account.ImageRows.StreamWithRetries(Keys.DuePartition, Keys.DueAt(now));
        await foreach (var row in rows.WithCancellation(cancellationToken))
        {
            // The first is the oldest.
            if (row.Key != Keys.WalkPlace)
            {
                return signs with { Due = HourOf(row.Key), Namespace = DueNote.From(row).Namespace };
            }
        }

        return signs;
    }

    private static DateTimeOffset? HourOf(string key) =>
        key.Split('!') is [_, var hour, ..]
        && DateTimeOffset.TryParseExact(
            hour,
            "yyyyMMddHH",
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out var at
        )
            ? at
            : null;
}
