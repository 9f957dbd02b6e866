using System.Globalization;

namespace ImagesFunctions.Pages;

/// <summary>How values are written on pages.</summary>
internal static class Texts
{
    private static readonly string[] s_units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB"];

    /// <summary>A number of bytes in the largest unit that it fills, with three digits.</summary>
    public static string Bytes(long bytes)
    {
        var (value, unit) = ((double)bytes, 0);
        for (; value >= 1024 && unit < s_units.Length - 1; unit++)
        {
            value /= 1024;
        }

        var format =
            unit == 0 || value >= 100 ? "0"
            : value >= 10 ? "0.0"
            : "0.00";
        return $"{value.ToString(format, CultureInfo.InvariantCulture)} {s_units[unit]}";
    }

    /// <summary>A digest as far as people tell it from others.</summary>
    public static string Short(string digest)
    {
        var colon = digest.IndexOf(':', StringComparison.Ordinal);
        return digest.Length > colon + 13 ? digest[..(colon + 13)] : digest;
    }

    /// <summary>A number and its noun.</summary>
    public static string Count(long number, string one, string many) =>
        $"{number.ToString("#,0", CultureInfo.InvariantCulture)} {(number == 1 ? one : many)}";

    /// <summary>How long ago it was, roughly; the time itself stands beside it.</summary>
    public static string Ago(TimeSpan age) =>
        age < TimeSpan.FromMinutes(1) ? "just now"
        : age < TimeSpan.FromHours(1) ? $"{(int)age.TotalMinutes} min ago"
        : age < TimeSpan.FromDays(1) ? $"{(int)age.TotalHours} h ago"
        : age < TimeSpan.FromDays(60) ? Count((int)age.TotalDays, "day", "days") + " ago"
        : age < TimeSpan.FromDays(730) ? Count((int)(age.TotalDays / 30.44), "month", "months") + " ago"
        : Count((int)(age.TotalDays / 365.25), "year", "years") + " ago";

    /// <summary>A time in UTC, to the second.</summary>
    public static string Time(DateTimeOffset at) =>
        at.ToUniversalTime().ToString("yyyy-MM-dd HH:mm:ss 'UTC'", CultureInfo.InvariantCulture);

    /// <summary>A day.</summary>
    public static string Day(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>A platform.</summary>
    public static string Platform(Oci.Platform platform) => $"{platform.Os ?? "?"}/{platform.Architecture ?? "?"}";
}
