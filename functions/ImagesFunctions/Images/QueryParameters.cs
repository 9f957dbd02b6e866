using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Images;

/// <summary>Parses the queries of <c>/v1</c>. An error is 400, and the message names the parameter.</summary>
internal static class QueryParameters
{
    // Parameters that later clients send and most routes ignore.
    private static readonly string[] s_ignored = ["details", "metro"];

    /// <summary>Each name once, with all its values. KraftCloud's documented curl lines send a stray backslash at the end of both.</summary>
    public static IEnumerable<(string Name, string[] Values)> All(HttpRequest request) =>
        request
            .Query.SelectMany(q => q.Value.Select(value => (Name: WithoutBackslash(q.Key), Value: value ?? "")))
            .GroupBy(q => q.Name, q => WithoutBackslash(q.Value), StringComparer.Ordinal)
            .Select(q => (q.Key, q.ToArray()));

    /// <summary>Each name with its one value.</summary>
    /// <exception cref="ApiException">A parameter is repeated.</exception>
    public static IEnumerable<(string Name, string Value)> Single(HttpRequest request) =>
        All(request).Select(q => (q.Name, Single(q.Name, q.Values)));

    /// <summary>The one value of a parameter.</summary>
    /// <exception cref="ApiException">It is repeated.</exception>
    public static string Single(string name, string[] values) =>
        values.Length == 1
            ? values[0]
            : throw ApiException.BadRequest($"The query parameter '{name}' is given more than once.");

    /// <summary>A flag; its value may be absent.</summary>
    /// <exception cref="ApiException">It has another value than true, false, 1 or 0.</exception>
    public static bool Flag(string name, string value) =>
        value switch
        {
            "" or "true" or "1" => true,
            "false" or "0" => false,
            _ => throw ApiException.BadRequest(
                $"The query parameter '{name}' is a flag: leave its value out, or use true or false."
            ),
        };

    /// <summary>Whether routes of later generations ignore a parameter.</summary>
    public static bool IsIgnored(string name) => s_ignored.Contains(name, StringComparer.Ordinal);

    /// <summary>Refuses every parameter but those that are ignored.</summary>
    /// <exception cref="ApiException">There is another one.</exception>
    public static void DemandNone(HttpRequest request)
    {
        foreach (var (name, _) in Single(request))
        {
            if (!IsIgnored(name))
            {
                throw ApiException.BadRequest($"The query parameter '{name}' is unknown: this route has none.");
            }
        }
    }

    private static string WithoutBackslash(string text) => text.EndsWith('\\') ? text[..^1] : text;
}
