namespace ImagesFunctions.Journal;

/// <summary>A text that may be longer than one value of a row holds (64 KiB), split over numbered values.</summary>
public static class SplitText
{
    private const int PerValue = 32_000;

    /// <summary>Writes the text as the values <c>name0</c>, <c>name1</c> and so on; an empty one as <c>name0</c>.</summary>
    public static void Write(TableRow row, string name, string text)
    {
        var at = 0;
        for (var i = 0; i == 0 || at < text.Length; i++)
        {
            var length = Math.Min(PerValue, text.Length - at);
            if (at + length < text.Length && char.IsHighSurrogate(text[at + length - 1]))
            {
                // Half of a surrogate pair would be stored as U+FFFD.
                length--;
            }

            row[$"{name}{i}"] = text.Substring(at, length);
            at += length;
        }
    }

    /// <summary>Reads the text; "" where the row has none.</summary>
    public static string Read(TableRow row, string name)
    {
        var text = "";
        for (var i = 0; row.GetString($"{name}{i}") is { } part; i++)
        {
            text += part;
        }

        return text;
    }
}
