using System.CommandLine;
using ImagesFunctions.Accounts;

namespace ImagesFunctions.Local;

/// <summary><c>trust add|list|remove</c>.</summary>
internal static class TrustCommands
{
    private const string AddExample =
        "trust add demo --issuer https://token.actions.githubusercontent.com --audience images --subject 'repo:acme/web:*' --allow push --repository 'web/**'";

    public static Command Add(Terminal terminal)
    {
        var account = TokenCommands.Account(isNew: true);
        var issuer = new Option<string>("--issuer")
        {
            Description = "The issuer's address, exactly as the claim iss of its tokens has it",
            Required = true,
        };
        var audience = new Option<string>("--audience") { Description = "One of the claim aud", Required = true };
        var subject = new Option<string?>("--subject")
        {
            Description = "The claim sub; * stands for anything between two ':' or '/'",
        };
        var claims = ClaimOption();
        var grant = new GrantOptions("pull");
        var add = new Command("add", "Trusts tokens of an issuer, and prints the id of the rule")
        {
            account,
            issuer,
            audience,
            subject,
            claims,
        };
        grant.AddTo(add);
        Help.Examples(add, AddExample);
        return terminal.Runs(
            add,
            async (parsed, images, cancellationToken) =>
            {
                var condition = new TrustCondition(
                    parsed.GetValue(issuer)!,
                    parsed.GetValue(audience)!,
                    parsed.GetValue(subject),
                    TrustCondition.ParseClaims(parsed.GetValue(claims) ?? [])
                );
                var rule = await images.Trust.AddAsync(
                    parsed.GetValue(account)!,
                    condition,
                    grant.Of(parsed, "pull"),
                    cancellationToken
                );
                await terminal.Output.WriteLineAsync(rule.Id);
                await terminal.Errors.WriteLineAsync(
                    $"This is rule {rule.Id} of account {rule.Account}; tokens that it is about {GrantOptions.Text(rule.Grant)}."
                );
                return 0;
            }
        );
    }

    public static Command List(Terminal terminal)
    {
        var account = TokenCommands.Account();
        var listing = new Listing<TrustRule>(s_columns, rule => rule.Id);
        var list = new Command("list", "Lists the trust rules of an account") { account };
        listing.AddTo(list);
        Help.Examples(list, "trust list demo", "trust list demo --output yaml");
        return terminal.Runs(
            list,
            async (parsed, images, cancellationToken) =>
            {
                var name = parsed.GetValue(account)!;
                var rules = await images.Trust.ListAsync(name, cancellationToken);
                await listing.WriteAsync(parsed, rules, terminal.Output);
                if (rules.Count == 0)
                {
                    await terminal.Errors.WriteLineAsync($"Account {name} trusts no issuer.");
                }

                return 0;
            }
        );
    }

    private static readonly Column<TrustRule>[] s_columns =
    [
        new("id", rule => rule.Id),
        new("issuer", rule => rule.Condition.Issuer),
        new("audience", rule => rule.Condition.Audience),
        new("subject", rule => rule.Condition.Subject),
        new(
            "claims",
            rule =>
                rule.Condition.Claims.OrderBy(c => c.Key, StringComparer.Ordinal)
                    .Select(c => $"{c.Key}={c.Value}")
                    .ToList()
        ),
        .. GrantOptions.Columns<TrustRule>(rule => rule.Grant),
        new("created", rule => rule.Created),
    ];

    public static Command Remove(Terminal terminal)
    {
        var account = TokenCommands.Account();
        var id = new Argument<string>("id") { Description = "As `trust list` prints it" };
        return terminal.Runs(
            Help.Examples(
                new Command("remove", "Ends a trust rule at once") { account, id },
                "trust remove demo 5f0c2a9b"
            ),
            async (parsed, images, cancellationToken) =>
            {
                var (name, which) = (parsed.GetValue(account)!, parsed.GetValue(id)!);
                var found = await images.Trust.RemoveAsync(name, which, cancellationToken);
                await terminal.Errors.WriteLineAsync(
                    found ? $"Rule {which} of account {name} is removed." : $"Account {name} has no rule {which}."
                );
                return found ? 0 : 1;
            }
        );
    }

    private static Option<string[]> ClaimOption()
    {
        var claims = new Option<string[]>("--claim")
        {
            Description = "name=value of a further claim (may be repeated)",
        };
        // Wrong usage is said before any storage is started.
        claims.Validators.Add(result =>
        {
            try
            {
                TrustCondition.ParseClaims(result.GetValueOrDefault<string[]>() ?? []);
            }
            catch (FormatException error)
            {
                result.AddError(error.Message);
            }
        });
        return claims;
    }
}
