using System.CommandLine;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary>
/// <c>doctor</c>: looks at all that the program needs, and at an installation in Azure where the store is one, and says what to do
/// about what is wrong.
/// </summary>
internal static class DoctorCommand
{
    public static Command Make(Terminal terminal)
    {
        var listing = new Listing<Check>(
            [
                new("check", c => c.Name),
                new("state", c => c.State),
                new("detail", c => c.Detail),
                new("mend", c => c.Mend),
            ],
            c => c.Name
        );
        var drop = Drop();
        var doctor = new Command(
            "doctor",
            $"Looks at versions, the storage account, rights and the clock, and in Azure at the function app, its events, its sweeper and what failed; says what is wrong and how to mend it. Azure is asked with your own identity, for what {string.Join(", ", Installation.Variables)} name. Exit code 3: something will not work; 4: nothing was found that will not, but something could not be asked"
        )
        {
            drop,
        };
        listing.AddTo(doctor);
        Help.Examples(doctor, "doctor", "doctor --filter state!=ok", "doctor --drop alice");
        doctor.SetAction(
            async (parsed, cancellationToken) =>
            {
                var checks = new List<Check>();
                checks.AddRange(await MachineChecks.RunAsync(cancellationToken));
                var into = parsed.GetResult(drop) is null ? null : parsed.GetValue(drop) ?? DropCheck.DefaultNamespace;
                var hint = terminal.Hint(parsed, "ls");
                checks.AddRange(await StoreAsync(parsed.GetValue(terminal.Data), hint, into, cancellationToken));
                await listing.WriteAsync(parsed, checks, terminal.Output);
                return ExitCodeOf(checks);
            }
        );
        return doctor;
    }

    /// <summary>The exit code for what was found.</summary>
    internal static int ExitCodeOf(IReadOnlyCollection<Check> checks) =>
        checks.Any(c => c.State == Check.Failed) ? ExitCode.NotWell
        : checks.Any(c => c.State == Check.Unknown) ? ExitCode.NotAsked
        : ExitCode.Done;

    /// <summary>Looks at a store, and where it is in Azure at the rest of the installation.</summary>
    /// <param name="examined">What is looked at.</param>
    /// <param name="drop">The namespace of a test drop; null: none is made.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    internal static async Task<IReadOnlyList<Check>> LookAsync(
        Examined examined,
        string? drop,
        CancellationToken cancellationToken
    )
    {
        var store = await new StoreChecks(examined).RunAsync(cancellationToken);
        var checks = new List<Check>(store);
        // Where storage does not answer Azure may still say why.
        if (!examined.IsEmulator)
        {
            checks.AddRange(await new CloudChecks(examined).RunAsync(cancellationToken));
        }

        if (drop is not null && store[0].State == Check.Ok)
        {
            checks.Add(await new DropCheck(examined, drop).RunAsync(cancellationToken));
        }

        return checks;
    }

    private static Option<string?> Drop()
    {
        var drop = new Option<string?>("--drop")
        {
            Description =
                $"Besides, drop a tiny image, wait until it is listed (three minutes at most), and remove it; in this namespace (default: {DropCheck.DefaultNamespace})",
            HelpName = "namespace",
            Arity = ArgumentArity.ZeroOrOne,
        };
        drop.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && !Repository.IsNamespace(result.GetValueOrDefault<string?>()))
            {
                result.AddError($"'{result.GetValueOrDefault<string?>()}' is no namespace");
            }
        });
        return drop;
    }

    private static async Task<IReadOnlyList<Check>> StoreAsync(
        string? data,
        string anyCommand,
        string? drop,
        CancellationToken cancellationToken
    )
    {
        var notes = new StringWriter();
        try
        {
            await using var store = await LocalStore.OpenAsync(data, notes, cancellationToken);
            await using var app = LocalHost.Build(store, urls: null, gateway: true);
            return
            [
                new Check("store", Check.Ok, store.Description["Store: ".Length..]),
                .. await LookAsync(Of(store, app.Images()) with { AnyCommand = anyCommand }, drop, cancellationToken),
            ];
        }
        catch (Exception error) when (error is not OperationCanceledException and not UsageException)
        {
            return [new Check("store", Check.Failed, OneLine.Of(error))];
        }
    }

    private static Examined Of(LocalStore store, ImagesApp images)
    {
        var account = store.Account;
        var installation = Installation.From(Environment.GetEnvironmentVariable);
        var examined = new Examined(account, images, new Mends(account.Images.AccountName, installation))
        {
            IsEmulator = store.IsEmulator,
            Installation = installation,
        };
        if (store.IsEmulator)
        {
            return examined;
        }

        var configuration = new ConfigurationBuilder().AddEnvironmentVariables().Build();
        return examined with
        {
            Poison = PoisonQueue.Of(configuration, account.Credential),
            Management = installation is null
                ? null
                : new Management(account.Credential ?? new Azure.Identity.DefaultAzureCredential()),
        };
    }
}
