using System.Globalization;

namespace ImagesFunctions.Settings;

/// <summary>A length of time as people type it: <c>30d</c>, <c>24h</c>, <c>15m</c>, <c>30s</c>.</summary>
public static class Duration
{
    /// <summary>Reads it: up to nine digits and a unit. False for anything else; <c>0m</c> is none at all, and no error.</summary>
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

        // Nothing can overflow: what is too long is the longest.
        duration = TimeSpan.FromTicks(Math.Min(count, TimeSpan.MaxValue.Ticks / step.Ticks) * step.Ticks);
        return true;
    }
}
