namespace ImagesFunctions.Local;

/// <summary>"Did you mean …": the word that somebody may have meant.</summary>
internal static class Suggestions
{
    /// <summary>The closest word; null where none is close: as many changes as a third of it has letters, three at most.</summary>
    public static string? For(string typed, IEnumerable<string> words) =>
        words
            .Select(word => (Word: word, Distance: Distance(typed, word)))
            .Where(w => w.Distance <= Math.Clamp(w.Word.Length / 3, 1, 3) && w.Distance < w.Word.Length)
            .OrderBy(w => w.Distance)
            .Select(w => w.Word)
            .FirstOrDefault();

    /// <summary>How many letters are added, left out, replaced or swapped with their neighbour (optimal string alignment).</summary>
    internal static int Distance(string a, string b)
    {
        var rows = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    rows[i, j] = i + j;
                    continue;
                }

                rows[i, j] = Math.Min(
                    Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1,
                    rows[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)
                );
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
                }
            }
        }

        return rows[a.Length, b.Length];
    }
}
