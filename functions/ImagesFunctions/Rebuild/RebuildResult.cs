namespace ImagesFunctions.Rebuild;

/// <summary>What a rebuild has done.</summary>
/// <param name="Tables">The tables that were lost.</param>
/// <param name="Tokens">How many tokens are there again; 0 where their table was not lost.</param>
/// <param name="Namespaces">The namespaces that are whole again, in order.</param>
/// <param name="Failed">Those that are not, and why: they are not served. The rebuild is to be begun again.</param>
public sealed record RebuildResult(
    IReadOnlyList<string> Tables,
    int Tokens,
    IReadOnlyList<string> Namespaces,
    IReadOnlyList<KeyValuePair<string, string>> Failed
)
{
    /// <summary>Nothing was lost.</summary>
    public static RebuildResult Nothing { get; } = new([], 0, [], []);
}
