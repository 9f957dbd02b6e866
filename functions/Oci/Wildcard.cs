namespace ImagesFunctions.Oci;

/// <summary>Matches text with <c>*</c>, which stands for any characters, also for none.</summary>
public static class Wildcard
{
    /// <summary>Whether a pattern matches the whole text. Takes at most the product of both lengths.</summary>
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        // The last star takes one character more whenever what follows it does not match.
        var (at, i, star, starAt) = (0, 0, -1, 0);
        while (i < text.Length)
        {
            if (at < pattern.Length && pattern[at] == '*')
            {
                (star, starAt) = (at++, i);
            }
            else if (at < pattern.Length && pattern[at] == text[i])
            {
                (at, i) = (at + 1, i + 1);
            }
            else if (star >= 0)
            {
                (at, i) = (star + 1, ++starAt);
            }
            else
            {
                return false;
            }
        }

        return pattern[at..].IndexOfAnyExcept('*') < 0;
    }
}
