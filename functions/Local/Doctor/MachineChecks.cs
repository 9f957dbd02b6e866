using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using ImagesFunctions.Settings;

namespace ImagesFunctions.Local;

/// <summary>Checks of this machine.</summary>
internal static class MachineChecks
{
    private const int OldestNode = 20;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    /// <summary>Looks at versions and at Node.js.</summary>
    public static async Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellationToken) =>
        [
            new(
                "program",
                Check.Ok,
                $"{ProgramVersion.Text}, {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.RuntimeIdentifier}"
            ),
            await NodeAsync(cancellationToken),
        ];

    /// <summary>What a version of Node.js is good for.</summary>
    /// <param name="said">What <c>node --version</c> writes; null where there is none.</param>
    /// <param name="isNeeded">Whether an Azurite may have to be started.</param>
    internal static Check NodeOf(string? said, bool isNeeded)
    {
        const string remedy =
            "install Node.js 20 or newer (Azurite needs it), start an Azurite yourself, or set ImagesStorage";
        var isOld =
            said is not null
            && int.TryParse(said.TrimStart('v').Split('.')[0], CultureInfo.InvariantCulture, out var major)
            && major < OldestNode;
        var bad = isNeeded ? Check.Failed : Check.Warning;
        return said is null ? new Check("Node.js", bad, "not found", remedy)
            : isOld ? new Check("Node.js", bad, $"{said} is too old", remedy)
            : new Check("Node.js", Check.Ok, said);
    }

    private static async Task<Check> NodeAsync(CancellationToken cancellationToken)
    {
        var isNeeded = LocalStore.Variables.Count == 0;
        if (Places.Program("node") is not { } node)
        {
            return NodeOf(null, isNeeded);
        }

        var check = NodeOf((await SaysAsync(node, cancellationToken))?.Trim(), isNeeded);
        return check.State == Check.Ok && isNeeded && Places.Program("npm") is null
            ? new Check("Node.js", Check.Failed, $"{check.Detail}, but npm was not found", "install it with Node.js")
            : check;
    }

    private static async Task<string?> SaysAsync(string node, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(s_patience);
        using var process = Process.Start(
            new ProcessStartInfo(node, ["--version"]) { RedirectStandardOutput = true, UseShellExecute = false }
        )!;
        try
        {
            var said = await process.StandardOutput.ReadToEndAsync(patience.Token);
            await process.WaitForExitAsync(patience.Token);
            return process.ExitCode == 0 ? said : null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            process.Kill(entireProcessTree: true);
            return null;
        }
    }
}
