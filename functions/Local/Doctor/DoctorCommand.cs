using System.CommandLine;

namespace ImagesFunctions.Local;

/// <summary>What was looked at, and how it is.</summary>
/// <param name="Name">What it is.</param>
/// <param name="State"><see cref="Ok"/>, <see cref="Warning"/> or <see cref="Failed"/>.</param>
/// <param name="Detail">What was found, and where it is not as it should be what to do.</param>
internal sealed record Check(string Name, string State, string Detail)
{
    /// <summary>As it should be.</summary>
    public const string Ok = "ok";

    /// <summary>It works, and is not as it should be.</summary>
    public const string Warning = "warning";

    /// <summary>Something will not work.</summary>
    public const string Failed = "failed";
}

/// <summary><c>doctor</c>: looks at all that the program needs, and says what to do about what is missing.</summary>
internal static class DoctorCommand
{
    public static Command Make(Terminal terminal)
    {
        var listing = new Listing<Check>(
            [new("check", c => c.Name), new("state", c => c.State), new("detail", c => c.Detail)],
            c => c.Name
        );
        var doctor = new Command(
            "doctor",
            "Looks at versions, the storage account, rights and the clock, and says what to do. Exit code 3: something will not work"
        );
        listing.AddTo(doctor);
        Help.Examples(doctor, "doctor", "doctor --filter state!=ok --output quiet");
        doctor.SetAction(
            async (parsed, cancellationToken) =>
            {
                var checks = new List<Check>();
                checks.AddRange(await MachineChecks.RunAsync(cancellationToken));
                checks.AddRange(await StoreAsync(parsed.GetValue(terminal.Data), cancellationToken));
                await listing.WriteAsync(parsed, checks, terminal.Output);
                return checks.Exists(c => c.State == Check.Failed) ? ExitCode.NotWell : ExitCode.Done;
            }
        );
        return doctor;
    }

    private static async Task<IReadOnlyList<Check>> StoreAsync(string? data, CancellationToken cancellationToken)
    {
        var notes = new StringWriter();
        try
        {
            await using var store = await LocalStore.OpenAsync(data, notes, cancellationToken);
            return
            [
                new Check("store", Check.Ok, store.Description["Store: ".Length..]),
                .. await StoreChecks.RunAsync(store, cancellationToken),
            ];
        }
        catch (Exception error) when (error is not OperationCanceledException and not UsageException)
        {
            return [new Check("store", Check.Failed, OneLine.Of(error))];
        }
    }
}
