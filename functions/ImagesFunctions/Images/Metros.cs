using System.Text.RegularExpressions;
using ImagesFunctions.Settings;
using Microsoft.Extensions.Configuration;

namespace ImagesFunctions.Images;

/// <summary>A metro, as the control plane lists it.</summary>
/// <param name="Name">For people.</param>
/// <param name="Code">What clients choose a metro by, such as an IATA code.</param>
/// <param name="Country">Where it is, as a code of two letters (ISO 3166-1), or "".</param>
/// <param name="Endpoint">The base address, without a slash at its end; null for this installation, which has the address of the request.</param>
internal sealed record Metro(string Name, string Code, string Country, Uri? Endpoint);

/// <summary>The metros that this installation knows: itself first.</summary>
internal sealed partial class Metros
{
    /// <summary>The setting of this installation's <see cref="Metro.Name"/>.</summary>
    public const string NameSetting = "MetroName";

    /// <summary>The setting of this installation's <see cref="Metro.Code"/>.</summary>
    public const string CodeSetting = "MetroCode";

    /// <summary>The setting of this installation's <see cref="Metro.Country"/>.</summary>
    public const string CountrySetting = "MetroCountry";

    /// <summary>
    /// The setting of all others, separated by semicolons; each is a code, an address, a country (or <c>-</c>) and a name, separated
    /// by spaces.
    /// </summary>
    public const string OthersSetting = "OtherMetros";

    private Metros(IReadOnlyList<Metro> all) => All = all;

    /// <summary>Every metro: this installation first, the others as the setting has them.</summary>
    public IReadOnlyList<Metro> All { get; }

    /// <summary>Reads the settings.</summary>
    /// <exception cref="InvalidSettingException">One is malformed; the message names the setting.</exception>
    public static Metros From(IConfiguration configuration)
    {
        var code = Matching(configuration, CodeSetting, "img0", Codes(), "lower-case letters and digits, at most 16");
        var country = Matching(configuration, CountrySetting, "", Countries(), "two capital letters");
        var others = Text(configuration, OthersSetting, "");
        return new Metros([
            new Metro(Text(configuration, NameSetting, "Images"), code, country, Endpoint: null),
            .. others
                .Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                .Select(metro =>
                    Other(metro)
                    ?? throw new InvalidSettingException(
                        $"{OthersSetting} is '{others}': it has to be like "
                            + "'fra1 https://images.example DE Frankfurt; ewr1 https://images.example.net - New York'."
                    )
                ),
        ]);
    }

    private static Metro? Other(string text)
    {
        var parts = text.Split(' ', 4, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        return
            parts is [var code, var address, var country, var name]
            && Codes().IsMatch(code)
            && Uri.TryCreate(address, UriKind.Absolute, out var endpoint)
            && endpoint.Scheme is "https" or "http"
            && endpoint is { Query: "", Fragment: "", UserInfo: "" }
            && (country == "-" || Countries().IsMatch(country))
            ? new Metro(name, code, country == "-" ? "" : country, endpoint)
            : null;
    }

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
