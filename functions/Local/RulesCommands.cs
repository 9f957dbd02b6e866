using System.CommandLine;
using System.Globalization;
using ImagesFunctions.Policy;

namespace ImagesFunctions.Local;

/// <summary><c>rules get|set|try</c>.</summary>
internal static class RulesCommands
{
    public static Command Get(Terminal terminal)
    {
        var account = TokenCommands.Account();
        return terminal.Runs(
            Help.Examples(new Command("get", "Prints the rules of an account as JSON") { account }, "rules get demo"),
            async (parsed, images, cancellationToken) =>
            {
                var name = parsed.GetValue(account)!;
                var (rules, by, at) = await images.RulesAsync(name, cancellationToken);
                await terminal.Output.WriteLineAsync(rules.Readable);
                await terminal.Errors.WriteLineAsync(
                    at is not { } moment
                        ? $"Account {name} never had rules."
                        : $"Set {moment.ToString("u", CultureInfo.InvariantCulture)} by {by?.ToString() ?? "the operator"}."
                );
                return 0;
            }
        );
    }

    public static Command Set(Terminal terminal)
    {
        var (account, file) = (TokenCommands.Account(isNew: true), FileOption());
        return terminal.Runs(
            Help.Examples(
                new Command("set", "Sets the rules of an account, in the place of those before") { account, file },
                "rules set demo --file rules.yaml"
            ),
            async (parsed, images, cancellationToken) =>
            {
                var name = parsed.GetValue(account)!;
                var rules = await ReadAsync(parsed.GetValue(file), cancellationToken);
                await images.SetRulesAsync(name, rules, cancellationToken);
                await terminal.Errors.WriteLineAsync($"The next change in account {name} keeps to them.");
                return 0;
            }
        );
    }

    public static Command Try(Terminal terminal)
    {
        var (account, file) = (TokenCommands.Account(), FileOption());
        return terminal.Runs(
            Help.Examples(
                new Command("try", "Prints what some rules would keep as it is, and what would go now; changes nothing")
                {
                    account,
                    file,
                },
                "rules try demo --file rules.yaml"
            ),
            async (parsed, images, cancellationToken) =>
            {
                var name = parsed.GetValue(account)!;
                var rules = await ReadAsync(parsed.GetValue(file), cancellationToken);
                var trial = await images.TryRulesAsync(name, rules, cancellationToken);
                foreach (var tag in trial.Immutable)
                {
                    await terminal.Output.WriteLineAsync($"immutable {tag}");
                }

                foreach (var image in trial.Going)
                {
                    await terminal.Output.WriteLineAsync(
                        $"remove {image.Repository.App}@{image.Digest} {string.Join(", ", image.Tags)}".TrimEnd()
                    );
                }

                await terminal.Errors.WriteLineAsync(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{trial.Immutable.Count} tags could not be changed any more. {trial.Going.Count} images would go, and with them {trial.Bytes} bytes ({Values.Size(trial.Bytes)})."
                    )
                );
                return 0;
            }
        );
    }

    private static Option<string?> FileOption() =>
        new Option<string?>("--file")
        {
            Description = "A file with the rules as YAML or JSON (default: standard input)",
        };

    private static async Task<AccountRules> ReadAsync(string? file, CancellationToken cancellationToken) =>
        RulesFile.Parse(
            file is null
                ? await Console.In.ReadToEndAsync(cancellationToken)
                : await File.ReadAllTextAsync(file, cancellationToken)
        );
}
