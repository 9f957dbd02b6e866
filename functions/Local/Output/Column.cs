using System.Globalization;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Local;

/// <summary>One thing that is said of each item of a list.</summary>
/// <param name="Name">As <c>--filter</c> and <c>--sort</c> name it, and JSON and YAML.</param>
/// <param name="Value">A text, a number, a moment, a truth or a list of texts; null: nothing is known.</param>
internal sealed record Column<T>(string Name, Func<T, object?> Value)
{
    /// <summary>Its text in a table; null: <see cref="Values.Text"/>.</summary>
    public Func<T, string>? Text { get; init; }

    /// <summary>Whether it is aligned to the right.</summary>
    public bool IsNumber { get; init; }

    /// <summary>Its text in a table.</summary>
    public string TextOf(T item) => Text?.Invoke(item) ?? Values.Text(Value(item));
}

/// <summary>The values of columns, in the forms that they are written and compared in.</summary>
internal static class Values
{
    private static readonly string[] s_units = ["KiB", "MiB", "GiB", "TiB"];

    /// <summary>As people read it.</summary>
    public static string Text(object? value) =>
        value switch
        {
            null => "",
            string text => text,
            bool truth => truth ? "yes" : "",
            DateTimeOffset moment => moment.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture),
            IReadOnlyList<string> { Count: > 3 } many => $"{string.Join(", ", many.Take(3))} and {many.Count - 3} more",
            IReadOnlyList<string> texts => string.Join(", ", texts),
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            _ => value.ToString() ?? "",
        };

    /// <summary>As programs read it.</summary>
    public static JsonNode? Json(object? value) =>
        value switch
        {
            null => null,
            bool truth => JsonValue.Create(truth),
            long number => JsonValue.Create(number),
            int number => JsonValue.Create(number),
            DateTimeOffset moment => JsonValue.Create(Iso(moment)),
            IReadOnlyList<string> texts => new JsonArray([.. texts.Select(text => JsonValue.Create(text))]),
            _ => JsonValue.Create(value.ToString()),
        };

    /// <summary>The texts that a pattern is compared with.</summary>
    public static IReadOnlyList<string> Compared(object? value) =>
        value switch
        {
            null => [],
            bool truth => [truth ? "true" : "false", truth ? "yes" : "no"],
            DateTimeOffset moment => [Iso(moment)],
            IReadOnlyList<string> texts => texts,
            IFormattable number => [number.ToString(null, CultureInfo.InvariantCulture)],
            _ => [value.ToString() ?? ""],
        };

    /// <summary>What items are sorted by; a list counts by its first text.</summary>
    public static IComparable Key(object? value) =>
        value switch
        {
            bool truth => truth ? 1L : 0L,
            long number => number,
            int number => (long)number,
            DateTimeOffset moment => Iso(moment),
            IReadOnlyList<string> texts => texts.Count > 0 ? texts[0] : "",
            _ => value?.ToString() ?? "",
        };

    /// <summary>A number of bytes as people read it: three digits and a binary unit.</summary>
    public static string Size(long bytes)
    {
        if (bytes < 1024)
        {
            return string.Create(CultureInfo.InvariantCulture, $"{bytes} B");
        }

        var (amount, unit) = (bytes / 1024.0, 0);
        for (; amount >= 1024 && unit < s_units.Length - 1; unit++)
        {
            amount /= 1024;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{amount:0.0} {s_units[unit]}");
    }

    /// <summary>Reads a number of bytes, such as <c>500</c> or <c>1.5MiB</c>.</summary>
    public static bool TryParseSize(string text, out double bytes)
    {
        var unit = Array.FindIndex(s_units, unit => text.EndsWith(unit, StringComparison.OrdinalIgnoreCase));
        var number = unit < 0 ? text : text[..^3].TrimEnd();
        var isNumber = double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out bytes);
        bytes *= Math.Pow(1024, unit + 1);
        return isNumber;
    }

    private static string Iso(DateTimeOffset moment) =>
        moment.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
