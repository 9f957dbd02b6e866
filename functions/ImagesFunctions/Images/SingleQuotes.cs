namespace ImagesFunctions.Images;

/// <summary>
/// Bodies as KraftCloud's documentation prints them: names and strings in single quotes, and single quotes around it all.
/// Only the quotes may differ from JSON.
/// </summary>
internal static class SingleQuotes
{
    /// <summary>
    /// Writes double quotes in place of the single ones, in the same memory, so that a parser's positions stay right. A double
    /// quote inside a string in single quotes needs its backslash, as it does in JSON.
    /// </summary>
    /// <returns>The body without the space and the quotes around its value.</returns>
    public static ReadOnlyMemory<byte> ToJson(Memory<byte> body)
    {
        var text = body.Trim(" \t\r\n'"u8);
        var bytes = text.Span;
        byte quote = 0;
        for (var i = 0; i < bytes.Length; i++)
        {
            var c = bytes[i];
            if (c == '\\' && quote != 0)
            {
                // The parser decides which escapes are valid. JSON has none for a single quote.
                i++;
            }
            else if (c is (byte)'\'' or (byte)'"')
            {
                if (quote == 0)
                {
                    quote = c;
                }
                else if (quote == c)
                {
                    quote = 0;
                }
                else if (quote == '\'')
                {
                    // As `"` it would end the string. No string may hold this byte, so the parser refuses it here.
                    bytes[i] = 0;
                    continue;
                }
                else
                {
                    continue;
                }

                bytes[i] = (byte)'"';
            }
        }

        return text;
    }
}
