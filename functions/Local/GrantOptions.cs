using System.CommandLine;
using ImagesFunctions.Accounts;

namespace ImagesFunctions.Local;

/// <summary>The options <c>--allow</c> and <c>--repository</c>: what a token or a trust rule may do.</summary>
internal sealed class GrantOptions
{
    /// <summary>Makes them.</summary>
    /// <param name="withoutAllow">What stands where no right is named, for the help.</param>
    public GrantOptions(string withoutAllow)
    {
        Allow = new Option<string?>("--allow")
        {
            Description = $"Rights, with commas between them: pull, push, delete, admin (default: {withoutAllow})",
        };
        Repositories = new Option<string[]>("--repository")
        {
            Description = "Only repositories of this pattern, such as web, web/* or 'team/**' (may be repeated)",
        };
        // Wrong usage is said before any storage is started.
        Allow.Validators.Add(result =>
            Check(result.AddError, () => Grant.Parse(result.GetValueOrDefault<string?>() ?? "", []))
        );
        Repositories.Validators.Add(result =>
            Check(result.AddError, () => Grant.Parse("pull", result.GetValueOrDefault<string[]>() ?? []))
        );
    }

    /// <summary>The rights.</summary>
    public Option<string?> Allow { get; }

    private Option<string[]> Repositories { get; }

    /// <summary>Gives them to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(Allow);
        command.Options.Add(Repositories);
    }

    /// <summary>What was asked for.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="withoutAllow">The rights where none are named.</param>
    public Grant Of(ParseResult parsed, string withoutAllow) =>
        Grant.Parse(parsed.GetValue(Allow) ?? withoutAllow, parsed.GetValue(Repositories) ?? []);

    /// <summary>The columns of a list that say what a grant allows.</summary>
    /// <param name="grantOf">The grant of an item; null for one that this version knows nothing of.</param>
    public static IEnumerable<Column<T>> Columns<T>(Func<T, Grant?> grantOf) =>
        [
            new("allow", item => grantOf(item)?.Allow.Split(','))
            {
                Text = item =>
                    grantOf(item) is { } grant
                        ? grant.Allow.Replace(",", ", ", StringComparison.Ordinal)
                        : "nothing that this version knows",
            },
            new("repositories", item => grantOf(item)?.Repositories.Select(p => p.ToString()).ToList())
            {
                Text = item => grantOf(item) is { Repositories.Count: > 0 } grant ? grant.RepositoriesText : "all",
            },
        ];

    /// <summary>A grant in words.</summary>
    public static string Text(Grant grant) =>
        $"may {grant.Allow.Replace(",", ", ", StringComparison.Ordinal)}"
        + (grant.Repositories.Count == 0 ? "" : $" in {string.Join(", ", grant.Repositories)}");

    private static void Check(Action<string> addError, Action parse)
    {
        try
        {
            parse();
        }
        catch (FormatException error)
        {
            addError(error.Message);
        }
    }
}
