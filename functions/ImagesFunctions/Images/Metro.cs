using System.Text.RegularExpressions;
using ImagesFunctions.Settings;
using Microsoft.Extensions.Configuration;

namespace ImagesFunctions.Images;

/// <summary>This installation as a metro of the control plane.</summary>
/// <param name="Name">Its display name.</param>
/// <param name="Code">The code by which clients choose a metro, such as an IATA code.</param>
/// <param name="Country">Its country, as a code of two letters (ISO 3166-1), or "".</param>
internal sealed partial record Metro(string Name, string Code, string Country)
{
    /// <summary>The setting of <see cref="Name"/>.</summary>
    public const string NameSetting = "MetroName";

    /// <summary>The setting of <see cref="Code"/>.</summary>
    public const string CodeSetting = "MetroCode";

    /// <summary>The setting of <see cref="Country"/>.</summary>
    public const string CountrySetting = "MetroCountry";

    /// <summary>Reads the settings.</summary>
    /// <exception cref="InvalidSettingException">A code is malformed; the message names the setting.</exception>
    public static Metro From(IConfiguration configuration) =>
        new(
            Text(configuration, NameSetting, "Images"),
            Matching(configuration, CodeSetting, "img0", Codes(), "lower-case letters and digits, at most 16"),
            Matching(configuration, CountrySetting, "", Countries(), "two capital letters")
        );

    private static string Text(IConfiguration configuration, string setting, string standard) =>
        configuration[setting] is { Length: > 0 } text ? text : standard;

    private static string Matching(
        IConfiguration configuration,
        string setting,
        string standard,
        Regex form,
        string description
    )
    {
        var text = Text(configuration, setting, standard);
        return text == standard || form.IsMatch(text)
            ? text
            : throw new InvalidSettingException($"{setting} is '{text}': it has to be {description}.");
    }

    [GeneratedRegex(@"\A[a-z0-9]{1,16}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Codes();

    [GeneratedRegex(@"\A[A-Z]{2}\z", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Countries();
}
