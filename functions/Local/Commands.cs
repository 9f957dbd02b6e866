using System.CommandLine;
using System.CommandLine.Invocation;

namespace ImagesFunctions.Local;

/// <summary>The commands of the program. Standard output holds what was asked for, standard error everything else.</summary>
public static class Commands
{
    /// <summary>Runs one.</summary>
    /// <returns>An <see cref="ExitCode"/>. A folder of <c>--data</c> that cannot be used is wrong usage, too.</returns>
    public static async Task<int> RunAsync(
        IReadOnlyList<string> arguments,
        TextWriter output,
        TextWriter errors,
        CancellationToken cancellationToken
    )
    {
        var parsed = Root(output, errors).Parse(arguments);
        if (parsed.Action is ParseErrorAction)
        {
            await errors.WriteLineAsync($"{parsed.Errors[0].Message}{Meant(parsed)} (see --help)");
            return ExitCode.WrongUsage;
        }

        try
        {
            // Signals are Program's: the parser's own handler would end the process after two seconds.
            var invocation = new InvocationConfiguration
            {
                Output = output,
                Error = errors,
                EnableDefaultExceptionHandler = false,
                ProcessTerminationTimeout = null,
            };
            return await parsed.InvokeAsync(invocation, cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCode.Failed;
        }
        catch (Exception error)
        {
            await errors.WriteLineAsync(OneLine.Of(error));
            return error is FormatException or UsageException ? ExitCode.WrongUsage : ExitCode.Failed;
        }
    }

    /// <summary>All commands.</summary>
    /// <param name="output">Gets what was asked for.</param>
    /// <param name="errors">Gets everything else.</param>
    /// <param name="typed">What people type before the first argument; null: as this program was called.</param>
    internal static RootCommand Root(TextWriter output, TextWriter errors, string? typed = null)
    {
        var (data, urls, gateway) = (Data(), Urls(), GatewayOption());
        var terminal = new Terminal(data, output, errors);
        var serve = Help.Examples(
            new Command("serve", "Serves the Images API and watches the container (the default)") { urls, gateway },
            "serve",
            "serve --data ./store --urls http://127.0.0.1:7072"
        );
        var root = new RootCommand(
            "ImagesFunctions on this machine. Exit codes: 0 done, 1 failed, 2 called wrongly, 3 not all is well (status, doctor), 4 something could not be asked (doctor)."
        )
        {
            data,
            urls,
            gateway,
            serve,
        };
        foreach (
            var command in OnStore(terminal)
                .Append(TransferCommands.Push(terminal))
                .Append(TransferCommands.Pull(terminal))
                .Append(TransferCommands.Copy(terminal))
                .Append(DoctorCommand.Make(terminal))
                .Append(CompletionCommand.Make(terminal))
                .Append(ToolReference.Make(output))
        )
        {
            root.Subcommands.Add(command);
        }

        foreach (var command in (Command[])[root, serve])
        {
            command.SetAction(
                (parsed, cancellationToken) =>
                    new Serve(terminal, parsed).RunAsync(
                        parsed.GetValue(urls),
                        parsed.GetValue(gateway),
                        cancellationToken
                    )
            );
        }

        Help.Install(root, typed ?? TypedCommand.Text);
        return root;
    }

    private static IEnumerable<Command> OnStore(Terminal terminal) =>
        [
            LsCommand.Make(terminal),
            ShowCommand.Make(terminal),
            TagCommand.Make(terminal),
            RmCommand.Make(terminal),
            PinCommands.Pin(terminal),
            PinCommands.Unpin(terminal),
            DropCommand.Make(terminal),
            StatusCommand.Make(terminal),
            new Command("token", "Tokens of an account")
            {
                TokenCommands.Create(terminal),
                TokenCommands.List(terminal),
                TokenCommands.Revoke(terminal),
            },
            new Command("trust", "Issuers of tokens that an account trusts (OpenID Connect)")
            {
                TrustCommands.Add(terminal),
                TrustCommands.List(terminal),
                TrustCommands.Remove(terminal),
            },
            new Command("rules", "What an account has decided about its tags and images: docs/retention.md")
            {
                RulesCommands.Get(terminal),
                RulesCommands.Set(terminal),
                RulesCommands.Try(terminal),
            },
            UsageCommand.Make(terminal),
            new Command("quota", "How much an account may store, which its operator sets")
            {
                QuotaCommand.Set(terminal),
            },
            GcCommand.Make(terminal),
            RebuildCommand.Make(terminal),
        ];

    // The command or option that the first word may have been meant for that nothing is called.
    private static string Meant(ParseResult parsed)
    {
        if (parsed.UnmatchedTokens is not [var typed, ..])
        {
            return "";
        }

        var command = parsed.CommandResult.Command;
        var words = typed.StartsWith('-')
            ? command.Options.Concat(parsed.RootCommandResult.Command.Options).Select(o => o.Name)
            : command.Subcommands.Select(c => c.Name);
        return Suggestions.For(typed, words) is { } word ? $" Did you mean '{word}'?" : "";
    }

    private static Option<string?> Data()
    {
        var data = new Option<string?>("--data")
        {
            Description =
                "Use the Azurite of this folder, on ports of its own, and no other (default: one that runs on the standard ports, else that of .data at the root of the clone, or here where there is no clone)",
            Recursive = true,
        };
        data.Validators.Add(result =>
        {
            var folder = result.GetValueOrDefault<string?>();
            if (string.IsNullOrWhiteSpace(folder))
            {
                result.AddError("--data needs a folder");
            }
            else if (LocalStore.Variables is { Count: > 0 } names)
            {
                // One of them would be ignored, and `gc` would run on the store that was not meant.
                result.AddError(
                    $"--data {folder} names a store, and so does {string.Join(" and ", names)} in the environment: leave one of them out"
                );
            }
        });
        return data;
    }

    private static Option<string?> Urls()
    {
        var urls = new Option<string?>("--urls") { Description = $"Where to listen (default: {LocalHost.DefaultUrl})" };
        urls.Validators.Add(result =>
        {
            // Kestrel takes what it cannot read for a host name, and listens on port 80 of every address.
            foreach (var url in (result.GetValueOrDefault<string?>() ?? "").Split(';'))
            {
                if (!LocalHost.IsUrl(url))
                {
                    result.AddError($"'{url}' is no address like {LocalHost.DefaultUrl}");
                }
            }
        });
        return urls;
    }

    private static Option<bool?> GatewayOption() =>
        new Option<bool?>("--gateway")
        {
            Description =
                "Only serve: watch nothing, collect no garbage, make nothing (default: where the store is no emulator)",
        };
}

/// <summary>What every console command has: its output, and the store it works on.</summary>
internal sealed record Terminal(Option<string?> Data, TextWriter Output, TextWriter Errors)
{
    /// <summary>A command line for people to paste, on the store of this one.</summary>
    public string Hint(ParseResult parsed, string arguments) =>
        $"{TypedCommand.Text} {arguments}"
        + (parsed.GetValue(Data) is { } data ? $" --data {TypedCommand.Quoted(data)}" : "");

    /// <summary>
    /// Gives a command its action, on the store: the server's if one runs, else one of its own for as long as it takes.
    /// </summary>
    public Command Runs(Command command, Func<ParseResult, ImagesApp, CancellationToken, Task<int>> action)
    {
        command.SetAction(
            async (parsed, cancellationToken) =>
            {
                await using var store = await LocalStore.OpenAsync(parsed.GetValue(Data), Errors, cancellationToken);
                await using var app = LocalHost.Build(store, urls: null, gateway: true);
                if (store.IsEmulator)
                {
                    // In the cloud they are the deployment's, and a reader may not be allowed to make them.
                    await store.Account.CreateAsync(cancellationToken);
                }

                store.Account.Guard();
                return await action(parsed, app.Images(), cancellationToken);
            }
        );
        return command;
    }
}
