using System.Globalization;
using Microsoft.Extensions.Configuration;

namespace ImagesFunctions.Settings;

/// <summary>Reads settings by type. A setting that is absent or empty has its standard value.</summary>
public static class Setting
{
    // Keeps sums and differences with dates in the range of DateTimeOffset.
    private static readonly TimeSpan s_maxTime = TimeSpan.FromDays(36_525);

    /// <summary>A flag: <c>true</c> or <c>false</c>, in any case.</summary>
    /// <exception cref="InvalidSettingException">It has another value.</exception>
    public static bool Flag(IConfiguration configuration, string name) =>
        configuration[name] is { Length: > 0 } text
        && (
            bool.TryParse(text, out var isOn)
                ? isOn
                : throw new InvalidSettingException($"{name} is '{text}': it has to be true or false.")
        );

    /// <summary>A duration of at most a hundred years.</summary>
    /// <exception cref="InvalidSettingException">It is not a duration, or too long.</exception>
    public static TimeSpan Time(IConfiguration configuration, string name, TimeSpan standard) =>
        configuration[name] is not { Length: > 0 } text ? standard
        : Duration.TryParse(text, out var duration) && duration <= s_maxTime ? duration
        : throw new InvalidSettingException($"{name} is '{text}': it has to be a duration like 30d, 24h or 15m.");

    /// <summary>A whole number from 0 to a maximum.</summary>
    /// <exception cref="InvalidSettingException">It is not a number in that range.</exception>
    public static int Number(IConfiguration configuration, string name, int standard, int max) =>
        configuration[name] is not { Length: > 0 } text ? standard
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= max ? number
        : throw new InvalidSettingException($"{name} is '{text}': it has to be a whole number of 0 to {max}.");
}
