using System.CommandLine;
using System.Globalization;
using ImagesFunctions.Accounts;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary><c>token create|list|revoke</c>.</summary>
internal static class TokenCommands
{
    // The names of no more are looked at.
    private const int MaxAccounts = 1_000;

    public static Command Create(Terminal terminal)
    {
        var account = Account(isNew: true);
        var expires = Expires();
        var readOnly = new Option<bool>("--read-only") { Description = "The same as --allow pull" };
        var label = Label();
        var isNew = new Option<bool>("--new-account")
        {
            Description = "Make the account also where another has nearly its name",
        };
        var grant = new GrantOptions("all");
        var create = Help.Examples(
            new Command("create", "Makes a token and prints it, only once")
            {
                account,
                expires,
                readOnly,
                label,
                isNew,
            },
            "token create demo",
            "token create demo --label 'CI of web' --allow push --repository 'web/**' --expires 90d"
        );
        grant.AddTo(create);
        create.Validators.Add(result =>
        {
            if (result.GetValue(readOnly) && result.GetResult(grant.Allow) is not null)
            {
                result.AddError("--read-only is --allow pull: leave one of them out");
            }
        });
        return terminal.Runs(
            create,
            async (parsed, images, cancellationToken) =>
            {
                var name = parsed.GetValue(account)!;
                await DemandAccountAsync(terminal, parsed, images, name, parsed.GetValue(isNew), cancellationToken);
                var (token, text) = await images.Tokens.CreateAsync(
                    name,
                    Lifetime(parsed.GetValue(expires)),
                    grant.Of(parsed, parsed.GetValue(readOnly) ? "pull" : "pull,push,delete,admin"),
                    cancellationToken,
                    parsed.GetValue(label)
                );
                await SayAsync(terminal, token, text);
                return 0;
            }
        );
    }

    public static Command List(Terminal terminal)
    {
        var account = Account();
        var listing = new Listing<Token>(s_columns, token => token.Id);
        var list = new Command("list", "Lists the tokens of an account, without their secrets") { account };
        listing.AddTo(list);
        Help.Examples(list, "token list demo", "token list demo --filter expired=yes --output quiet");
        return terminal.Runs(
            list,
            async (parsed, images, cancellationToken) =>
            {
                var name = parsed.GetValue(account)!;
                var tokens = await images.Tokens.ListAsync(name, cancellationToken).ToListAsync(cancellationToken);
                await listing.WriteAsync(parsed, tokens, terminal.Output);
                if (tokens.Count == 0)
                {
                    await terminal.Errors.WriteLineAsync($"Account {name} has no token.");
                }

                return 0;
            }
        );
    }

    private static readonly Column<Token>[] s_columns =
    [
        new("id", token => token.Id),
        new("label", token => token.Label),
        .. GrantOptions.Columns<Token>(token => token.Grant),
        new("created", token => token.Created),
        new("expires", token => token.Expires)
        {
            Text = token => token.Expires is null ? "never" : Values.Text(token.Expires),
        },
        new("expired", token => token.IsExpired),
        new("used", token => token.UsedOn?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)),
    ];

    public static Command Revoke(Terminal terminal)
    {
        var account = Account();
        var id = new Argument<string>("id") { Description = "As `token list` prints it" };
        return terminal.Runs(
            Help.Examples(new Command("revoke", "Ends a token at once") { account, id }, "token revoke demo 1f0c2a9b"),
            async (parsed, images, cancellationToken) =>
            {
                var (name, which) = (parsed.GetValue(account)!, parsed.GetValue(id)!);
                var found = await images.Tokens.RevokeAsync(name, which, cancellationToken);
                await terminal.Errors.WriteLineAsync(
                    found ? $"Token {which} of account {name} is revoked." : $"Account {name} has no token {which}."
                );
                return found ? 0 : 1;
            }
        );
    }

    // Tokens of a name that an earlier version allowed can be listed and revoked.
    internal static Argument<string> Account(bool isNew = false)
    {
        var account = new Argument<string>("account") { Description = "Its name is its namespace too" };
        account.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<string?>();
            if (isNew ? !Tokens.IsName(given) : !Repository.IsNamespace(given))
            {
                result.AddError($"'{given}' is no account: {Tokens.NameRule}");
            }
        });
        return account;
    }

    private static Option<string?> Expires()
    {
        var expires = new Option<string?>("--expires")
        {
            Description = "30d, 12h, 15m or a date like 2030-01-31 (default: never)",
        };
        // Wrong usage is said before any storage is started.
        expires.Validators.Add(result =>
        {
            try
            {
                Lifetime(result.GetValueOrDefault<string?>());
            }
            catch (FormatException error)
            {
                result.AddError(error.Message);
            }
        });
        return expires;
    }

    private static TimeSpan? Lifetime(string? expires) =>
        expires is null ? null : Expiry.Parse(expires, TimeProvider.System.GetUtcNow());

    private static string Kind(Token token) =>
        token.Grant is not { } grant ? "may do nothing that this version knows of, "
        : grant.IsAll ? ""
        : grant.IsPull ? "may only read, "
        : $"{GrantOptions.Text(grant)}, ";

    private static string Ends(Token token) =>
        token.Expires is not { } expires ? "never expires"
        : token.IsExpired ? $"expired {Text(expires)}"
        : $"expires {Text(expires)}";

    private static async Task SayAsync(Terminal terminal, Token token, string text)
    {
        await terminal.Output.WriteLineAsync(text);
        await terminal.Errors.WriteLineAsync(
            $"This is token {token.Id} of account {token.Account}; it {Kind(token)}{Ends(token)}."
        );
    }

    private static Option<string?> Label()
    {
        var label = new Option<string?>("--label") { Description = "What it is for; `token list` shows it" };
        label.Validators.Add(result =>
        {
            if (!Tokens.IsLabel(result.GetValueOrDefault<string?>() ?? ""))
            {
                result.AddError("--label needs a text of at most 200 characters, none of them a control character");
            }
        });
        return label;
    }

    // A name that is typed wrongly would be an account of its own, which sees nothing. So one that is nearly another's is made only
    // where that is asked for, and of any other it is said that it is new.
    private static async Task DemandAccountAsync(
        Terminal terminal,
        ParseResult parsed,
        ImagesApp images,
        string name,
        bool mayBeNew,
        CancellationToken cancellationToken
    )
    {
        if (
            mayBeNew
            || await images.Tokens.AnyAsync(name, cancellationToken)
            || (await images.Trust.ListAsync(name, cancellationToken)).Count > 0
            || (await images.Stored.ListAsync(name, app: null, cancellationToken)).Count > 0
        )
        {
            return;
        }

        List<string> others =
        [
            .. await LsCommand.NamespacesAsync(images, cancellationToken),
            .. await images.Tokens.AccountsAsync(cancellationToken).Take(MaxAccounts).ToListAsync(cancellationToken),
        ];
        if (Suggestions.For(name, others) is { } near)
        {
            throw new LocalException(
                $"There is no account {name}. Did you mean {near}? To make it: {terminal.Hint(parsed, $"token create {name} --new-account")}"
            );
        }

        await terminal.Errors.WriteLineAsync($"{name} is a new account.");
    }

    private static string Text(DateTimeOffset moment) => moment.ToString("u", CultureInfo.InvariantCulture);
}
