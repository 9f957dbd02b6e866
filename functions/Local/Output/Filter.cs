using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary>One <c>--filter</c>: a column, how it is compared, and with what.</summary>
/// <param name="Column">The column's name.</param>
/// <param name="Comparison"><c>=</c>, <c>!=</c>, <c>&lt;</c> or <c>&gt;</c>.</param>
/// <param name="Than">A pattern with <c>*</c>; for less and greater a number of bytes, or the beginning of a moment.</param>
internal sealed record Filter(string Column, string Comparison, string Than)
{
    private static readonly string[] s_comparisons = ["!=", "=", "<", ">"];

    /// <summary>Parses one; null where it is none.</summary>
    public static Filter? Parse(string text)
    {
        var at = text.IndexOfAny(['!', '=', '<', '>']);
        return
            at > 0
            && Array.Find(s_comparisons, c => text.AsSpan(at).StartsWith(c, StringComparison.Ordinal)) is { } comparison
            ? new Filter(text[..at].Trim(), comparison, text[(at + comparison.Length)..].Trim())
            : null;
    }

    /// <summary>Whether a value of the column is asked for.</summary>
    public bool Holds(object? value) =>
        Comparison switch
        {
            "=" => Matches(value),
            "!=" => !Matches(value),
            _ => Values.Compared(value) is [var text, ..] && Compare(value, text) == (Comparison == "<" ? -1 : 1),
        };

    // "" asks for what has no value: images without a tag.
    private bool Matches(object? value)
    {
        var texts = Values.Compared(value);
        return Than.Length == 0
            ? texts.All(text => text.Length == 0)
            : texts.Any(text => Than == "*" || Wildcard.Matches(Than, text));
    }

    private int Compare(object? value, string text) =>
        value is long or int && Values.TryParseSize(Than, out var than)
            ? Math.Sign(Convert.ToDouble(value, System.Globalization.CultureInfo.InvariantCulture).CompareTo(than))
            : Math.Sign(string.CompareOrdinal(text, Than));
}
