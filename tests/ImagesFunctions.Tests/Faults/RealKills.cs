namespace ImagesFunctions.Tests.Faults;

/// <summary>The program itself, several processes of it, ended by SIGKILL in the middle of its work.</summary>
[TakesLong(seconds: 30)]
public sealed class RealKills
{
    private const string Namespace = "alice";
    private const int Layouts = 6;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [ScheduleTheory]
    [InlineData(0.25)]
    [InlineData(0.5)]
    [InlineData(0.75)]
    public async Task A_process_that_is_killed_while_it_ingests_and_started_again_lists_everything(double listedBefore)
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var reader = new Node(connection);
        var expected = await DropAsync(reader);

        await using (var victim = LocalProgram.Serve(connection))
        {
            // Far enough to be in the middle of it: so many of the images are there.
            await ListsAsync(reader, listed => listed.Length >= listedBefore * Layouts, victim);
            await victim.KillAsync();
        }

        await Invariants.HoldAsync(reader, Namespace);
        await using var next = LocalProgram.Serve(connection);
        await ListsAsync(reader, listed => listed.SequenceEqual(expected, StringComparer.Ordinal), next);
        await next.KillAsync();
        await Invariants.SettledAsync(reader, Namespace);
    }

    [ScheduleFact]
    public async Task Three_processes_on_one_container_of_which_one_is_killed_make_the_same_rows_as_one()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var reader = new Node(connection);
        await using var one = LocalProgram.Serve(connection);
        await using var two = LocalProgram.Serve(connection);
        await using var three = LocalProgram.Serve(connection);

        var expected = await DropAsync(reader);
        await ListsAsync(reader, listed => listed.Length > 0, one);
        await one.KillAsync();

        await ListsAsync(reader, listed => listed.SequenceEqual(expected, StringComparer.Ordinal), two);
        await two.KillAsync();
        await three.KillAsync();
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

    private static Task ListsAsync(Node reader, Func<string[], bool> enough, LocalProgram process) =>
        Until.TrueAsync(
            async () =>
            {
                Assert.False(process.HasEnded, process.Said);
                return enough(await reader.ListedAsync(Namespace));
            },
            async () => $"Listed: {string.Join("; ", await reader.ListedAsync(Namespace))}"
        );
}
