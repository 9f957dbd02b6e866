namespace ImagesFunctions.Pages;

/// <summary>A token of the account.</summary>
/// <param name="Id">Its public id.</param>
/// <param name="May">What it may do.</param>
/// <param name="Repositories">The repositories; "" for all.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Expires">When it ends; null: never.</param>
/// <param name="IsExpired">Whether it has ended.</param>
public sealed record TokenLine(
    string Id,
    string May,
    string Repositories,
    DateTimeOffset Created,
    DateTimeOffset? Expires,
    bool IsExpired
);

/// <summary>The tokens of the account.</summary>
/// <param name="Lines">They.</param>
/// <param name="Made">The text of the one that was made just now, which is shown this once; "" else.</param>
/// <param name="Wrong">What was wrong with the form; "" for nothing.</param>
/// <param name="Now">The time of the page.</param>
public sealed record TokensView(IReadOnlyList<TokenLine> Lines, string Made, string Wrong, DateTimeOffset Now);
