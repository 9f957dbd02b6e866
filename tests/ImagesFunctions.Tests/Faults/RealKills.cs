using System.Diagnostics;
using ImagesFunctions.Local;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Tests.Faults;

/// <summary>The program itself, several processes of it, ended by SIGKILL in the middle of its work.</summary>
public sealed class RealKills
{
    private const string Namespace = "alice";
    private const int Layouts = 6;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0.25)]
    [InlineData(0.5)]
    [InlineData(0.75)]
    public async Task A_process_that_is_killed_while_it_ingests_and_started_again_lists_everything(double listedBefore)
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var reader = new Node(connection);
        var expected = await DropAsync(reader);

        using (var victim = Serve(connection))
        {
            // Far enough to be in the middle of it: so many of the images are there.
            await ListsAsync(reader, listed => listed.Length >= listedBefore * Layouts, victim);
            victim.Kill(entireProcessTree: true);
            await victim.WaitForExitAsync(Stop);
        }

        await Invariants.HoldAsync(reader, Namespace);
        using var next = Serve(connection);
        await ListsAsync(reader, listed => listed.SequenceEqual(expected, StringComparer.Ordinal), next);
        await EndAsync(next);
        await Invariants.SettledAsync(reader, Namespace);
    }

    [Fact]
    public async Task Three_processes_on_one_container_of_which_one_is_killed_make_the_same_rows_as_one()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var reader = new Node(connection);
        using var one = Serve(connection);
        using var two = Serve(connection);
        using var three = Serve(connection);

        var expected = await DropAsync(reader);
        await ListsAsync(reader, listed => listed.Length > 0, one);
        one.Kill(entireProcessTree: true);

        await ListsAsync(reader, listed => listed.SequenceEqual(expected, StringComparer.Ordinal), two);
        await EndAsync(two);
        await EndAsync(three);
        await Invariants.SettledAsync(reader, Namespace);
    }

    private static async Task<string[]> DropAsync(Node node)
    {
        var expected = new List<string>();
        for (var i = 0; i < Layouts; i++)
        {
            var layout = new Layout();
            var bytes = new byte[4 * 1024 * 1024];
            new Random(i).NextBytes(bytes);
            var config = layout.Add(Layout.OciConfig, "{}"u8.ToArray());
            var image = layout.AddManifest(config, layout.Add(Layout.OciLayer, bytes));
            await node.PutAsync($"{Namespace}/app{i}", layout.Index(Layout.Tagged(image, "latest")));
            expected.Add($"app{i}@{Layout.Digest(image)} latest");
        }

        return [.. expected];
    }

    private static Process Serve(string connection)
    {
        var start = new ProcessStartInfo("dotnet", [typeof(Commands).Assembly.Location, "--urls", "http://127.0.0.1:0"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[StorageAccount.Section] = connection;
        var process = Process.Start(start)!;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
    }

    private static Task ListsAsync(Node reader, Func<string[], bool> enough, Process process) =>
        Until.TrueAsync(
            async () =>
            {
                Assert.False(process.HasExited, "The process has ended.");
                return enough(await reader.ListedAsync(Namespace));
            },
            async () => $"Listed: {string.Join("; ", await reader.ListedAsync(Namespace))}"
        );

    private static async Task EndAsync(Process process)
    {
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync(Stop);
    }
}
