using ImagesFunctions.Accounts;
using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Pages;

/// <summary>The page of tokens and trust rules, for who may do everything in the account.</summary>
internal static class ShowTokens
{
    private const int MaxTokens = 1_000;
    private const int MaxRules = 1_000;

    /// <summary>Refuses who may not do everything in the account.</summary>
    /// <exception cref="PageException">403.</exception>
    public static void Demand(Viewer viewer)
    {
        if (!viewer.HasAllRights)
        {
            throw PageException.Forbidden("Tokens are shown to who may do everything in the account.");
        }
    }

    /// <summary>The rights that a form chooses.</summary>
    /// <exception cref="FormatException">It chooses none, or names repositories by what is no pattern.</exception>
    public static Grant GrantOf(Forms form) =>
        Grant.Parse(
            string.Join(',', form.All("allow")) is { Length: > 0 } allow
                ? allow
                : throw new FormatException("choose at least one right"),
            form.Words("repositories")
        );

    /// <summary>Answers with the page.</summary>
    /// <param name="request">The request.</param>
    /// <param name="made">The text of the token that it has made; "" for none.</param>
    /// <param name="wrong">What is wrong with its form; "" for nothing.</param>
    public static async Task AnswerAsync(PageRequest request, string made = "", string wrong = "")
    {
        var services = request.Http.RequestServices;
        var account = request.Viewer.Account;
        var rules = services.GetRequiredService<TrustRules>().ListAsync(account, request.Stop);
        var tokens = services
            .GetRequiredService<Tokens>()
            .ListAsync(account, request.Stop)
            .Take(MaxTokens)
            .Select(Line)
            .ToListAsync(request.Stop)
            .AsTask();
        await Task.WhenAll(rules, tokens);
        await PageWriter.WriteAsync<TokensPage>(
            request.Http,
            wrong.Length > 0 ? StatusCodes.Status422UnprocessableEntity : StatusCodes.Status200OK,
            ("Viewer", request.Viewer),
            (
                "View",
                new TokensView
                {
                    Tokens = [.. (await tokens).OrderByDescending(l => l.Created)],
                    Rules = [.. (await rules).Take(MaxRules).Select(Line)],
                    Made = made,
                    Wrong = wrong,
                    Now = services.GetRequiredService<StorageClock>().UtcNow,
                }
            )
        );
    }

    private static TokenLine Line(Token token) =>
        new(
            token.Id,
            token.Label ?? "",
            token.Grant is { } grant ? May(grant) : "nothing that this version knows",
            token.Grant?.RepositoriesText ?? "",
            token.Created,
            token.Expires,
            token.IsExpired
        )
        {
            UsedOn = token.UsedOn,
        };

    private static TrustLine Line(TrustRule rule) =>
        new(
            rule.Id,
            rule.Condition.Issuer,
            [
                $"aud={rule.Condition.Audience}",
                .. rule.Condition.Subject is { } subject ? [$"sub={subject}"] : (string[])[],
                .. rule.Condition.Claims.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => $"{c.Key}={c.Value}"),
            ],
            May(rule.Grant),
            rule.Grant.RepositoriesText,
            rule.Created
        );

    private static string May(Grant grant) => grant.Allow.Replace(",", ", ", StringComparison.Ordinal);
}
