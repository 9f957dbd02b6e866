using Microsoft.AspNetCore.WebUtilities;

namespace ImagesFunctions.Pages;

/// <summary>Where in a long list a page is.</summary>
/// <param name="Path">The path of the list.</param>
/// <param name="Query">What else the address says.</param>
/// <param name="Number">The page, from 1 on.</param>
/// <param name="Total">How many items there are.</param>
public sealed record Paging(string Path, IReadOnlyDictionary<string, string?> Query, int Number, int Total)
{
    /// <summary>How many items a page has.</summary>
    public const int Size = 25;

    /// <summary>How many pages there are; at least one.</summary>
    public int Pages => Math.Max(1, (Total + Size - 1) / Size);

    /// <summary>The first item of the page, from 1 on; 0 where it has none.</summary>
    public int First => Number <= Pages && Total > 0 ? ((Number - 1) * Size) + 1 : 0;

    /// <summary>The last item of the page.</summary>
    public int Last => Math.Min(Total, Number * Size);

    /// <summary>The address of a page of the list.</summary>
    public string Of(int number) =>
        QueryHelpers.AddQueryString(
            Path,
            Query
                .Where(q => !string.IsNullOrEmpty(q.Value))
                .Concat(number > 1 ? [KeyValuePair.Create<string, string?>("page", $"{number}")] : [])
        );

    /// <summary>The items of this page.</summary>
    internal IEnumerable<T> Take<T>(IEnumerable<T> all) => all.Skip((Number - 1) * Size).Take(Size);
}
