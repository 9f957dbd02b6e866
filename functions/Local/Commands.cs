using System.CommandLine;
using System.CommandLine.Invocation;

namespace ImagesFunctions.Local;

/// <summary>The commands of the program. Standard output holds what was asked for, standard error everything else.</summary>
public static class Commands
{
    /// <summary>Runs one.</summary>
    /// <returns>0, or 1 when it failed, or 2 when it was called wrongly: a folder of <c>--data</c> that cannot be used is that, too.</returns>
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
            await errors.WriteLineAsync($"{parsed.Errors[0].Message} (see --help)");
            return 2;
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
            return 1;
        }
        catch (Exception error)
        {
            await errors.WriteLineAsync(OneLine.Of(error));
            return error is FormatException or UsageException ? 2 : 1;
        }
    }

    private static RootCommand Root(TextWriter output, TextWriter errors)
    {
        var (data, urls, gateway) = (Data(), Urls(), GatewayOption());
        var terminal = new Terminal(data, output, errors);
        var serve = new Command("serve", "Serves the Images API and watches the container (the default)")
        {
            urls,
            gateway,
        };
        var root = new RootCommand("ImagesFunctions on this machine. Exit codes: 0 done, 1 failed, 2 called wrongly.")
        {
            data,
            urls,
            gateway,
            serve,
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
            new Command("rules", "What an account has decided about its tags: docs/retention.md")
            {
                RulesCommands.Get(terminal),
                RulesCommands.Set(terminal),
                RulesCommands.Try(terminal),
            },
            DropCommand.Make(terminal),
            StatusCommand.Make(terminal),
            GcCommand.Make(terminal),
            RebuildCommand.Make(terminal),
        };
        foreach (var command in (Command[])[root, serve])
        {
            command.SetAction(
                (parsed, cancellationToken) =>
                    new Serve(output, errors).RunAsync(
                        parsed.GetValue(data),
                        parsed.GetValue(urls),
                        parsed.GetValue(gateway),
                        cancellationToken
                    )
            );
        }

        return root;
    }

    private static Option<string?> Data()
    {
        var data = new Option<string?>("--data")
        {
            Description =
                "Use the Azurite of this folder, on ports of its own, and no other (default: one that runs on the standard ports, else that of .data at the root of the clone)",
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
