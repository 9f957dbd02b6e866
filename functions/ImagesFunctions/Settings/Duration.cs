using System.Globalization;

namespace ImagesFunctions.Settings;

/// <summary>Durations as text: <c>30d</c>, <c>24h</c>, <c>15m</c>, <c>30s</c>.</summary>
public static class Duration
{
    /// <summary>Parses up to nine digits and a unit. False for any other text; <c>0m</c> is zero.</summary>
    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = default;
        TimeSpan? unit = text is [.., var letter]
            ? letter switch
            {
                'd' => TimeSpan.FromDays(1),
                'h' => TimeSpan.FromHours(1),
                'm' => TimeSpan.FromMinutes(1),
                's' => TimeSpan.FromSeconds(1),
                _ => null,
            }
            : null;
        if (
            unit is not { } step
            || text!.Length > 10
            || !int.TryParse(text.AsSpan(..^1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
        )
        {
            return false;
        }

        // A duration that is too long is clamped, so that nothing overflows.
        duration = TimeSpan.FromTicks(Math.Min(count, TimeSpan.MaxValue.Ticks / step.Ticks) * step.Ticks);
        return true;
    }
}
