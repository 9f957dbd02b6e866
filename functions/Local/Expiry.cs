using System.Globalization;
using ImagesFunctions.Settings;

namespace ImagesFunctions.Local;

/// <summary>How long a token lives, as typed: <c>30d</c>, <c>12h</c>, <c>15m</c>, or until an ISO 8601 date.</summary>
public static class Expiry
{
    private static readonly string[] Dates = ["yyyy-MM-dd", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd'T'HH:mm:ssK"];

    /// <summary>The lifetime from now on. A date without a time is its first moment, without a zone it is UTC.</summary>
    /// <exception cref="FormatException">It is neither form, not in the future, or more than a hundred years away.</exception>
    public static TimeSpan Parse(string text, DateTimeOffset now)
    {
        var lifetime = Duration.TryParse(text, out var duration) ? duration : Until(text, now);
        return lifetime switch
        {
            null => throw new FormatException(
                $"'{text}' is neither a duration like 30d, 12h or 15m nor a date like 2030-01-31"
            ),
            { Ticks: <= 0 } => throw new FormatException($"'{text}' is not in the future"),
            { TotalDays: > 36_525 } => throw new FormatException($"'{text}' is more than a hundred years away"),
            _ => lifetime.Value,
        };
    }

    private static TimeSpan? Until(string text, DateTimeOffset now) =>
        DateTimeOffset.TryParseExact(
            text,
            Dates,
            CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal,
            out var moment
        )
            ? moment - now
            : null;
}
