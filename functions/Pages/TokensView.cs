namespace ImagesFunctions.Pages;

/// <summary>A token of the account.</summary>
/// <param name="Id">Its public id.</param>
/// <param name="Label">What it is for; "" where nobody said.</param>
/// <param name="May">What it may do.</param>
/// <param name="Repositories">The repositories; "" for all.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Expires">When it ends; null: never.</param>
/// <param name="IsExpired">Whether it has ended.</param>
public sealed record TokenLine(
    string Id,
    string Label,
    string May,
    string Repositories,
    DateTimeOffset Created,
    DateTimeOffset? Expires,
    bool IsExpired
)
{
    /// <summary>The day on which it was used last; null where no use is known.</summary>
    public DateOnly? UsedOn { get; init; }
}

/// <summary>A rule by which the account trusts tokens of an issuer.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Issuer">The issuer.</param>
/// <param name="Conditions">What a token of it has to say, each as <c>name=value</c>.</param>
/// <param name="May">What such a token may do.</param>
/// <param name="Repositories">The repositories; "" for all.</param>
/// <param name="Created">When it was made.</param>
public sealed record TrustLine(
    string Id,
    string Issuer,
    IReadOnlyList<string> Conditions,
    string May,
    string Repositories,
    DateTimeOffset Created
);

/// <summary>The tokens and trust rules of the account.</summary>
public sealed record TokensView
{
    /// <summary>The tokens, the newest first.</summary>
    public required IReadOnlyList<TokenLine> Tokens { get; init; }

    /// <summary>The rules, those of one issuer together.</summary>
    public required IReadOnlyList<TrustLine> Rules { get; init; }

    /// <summary>The text of the token that was made just now, which is shown this once; "" else.</summary>
    public string Made { get; init; } = "";

    /// <summary>What was wrong with a form; "" for nothing.</summary>
    public string Wrong { get; init; } = "";

    /// <summary>The time of the page.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>The issuers that rules name already: only an operator names others.</summary>
    public IEnumerable<string> Issuers => Rules.Select(r => r.Issuer).Distinct(StringComparer.Ordinal);
}
