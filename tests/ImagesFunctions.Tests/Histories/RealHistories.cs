using ImagesFunctions.Exploration.Histories;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Stress;

namespace ImagesFunctions.Tests.Histories;

// Not the folder of that name.
using Operation = global::ImagesFunctions.Exploration.Histories.Operation;

/// <summary>
/// Several servers on one storage account, with faults of the network before it, and killed again and again: what their clients were
/// told has one order.
/// </summary>
[TakesLong(seconds: 40)]
public sealed class RealHistories
{
    private const int Clients = 6;
    private const int OneInSoManyFails = 25;

    // An operation without an answer may take effect at any later time, and each of them doubles the orders that are possible.
    // Between two namespaces all clients rest. Azurite takes time linear in a namespace for each row, too.
    private const int InOneNamespace = 100;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [ScheduleFact]
    public Task Of_three_hundred_operations_have_one_order() => RecordAsync(300, servers: 2, kills: true);

    [LongFact]
    public Task Of_a_hundred_thousand_operations_have_one_order() => RecordAsync(100_000, servers: 3, kills: true);

    /// <summary>A storage that answers the version of a namespace as it was: every list is then of an earlier moment than its request.</summary>
    [ScheduleFact]
    public async Task Of_servers_whose_storage_answers_what_was_have_none()
    {
        var histories = await RunAsync(200, servers: 1, kills: false, stale: true);
        Assert.Contains(histories, history => HistoryCheck.Run(history) is not null);
    }

    private static async Task RecordAsync(int operations, int servers, bool kills)
    {
        foreach (var history in await RunAsync(operations, servers, kills, stale: false))
        {
            if (HistoryCheck.Run(history) is { } unexplained)
            {
                var file = Path.Combine(Path.GetTempPath(), $"history-{Guid.NewGuid():N}.jsonl");
                await File.WriteAllLinesAsync(file, history.Select(o => $"{o}"), Stop);
                Assert.Fail($"{unexplained}\nThe history is in {file}");
            }
        }
    }

    private static async Task<List<IReadOnlyCollection<Operation>>> RunAsync(
        int operations,
        int servers,
        bool kills,
        bool stale
    )
    {
        var direct = await Storages.NewWithTablesAsync();
        await using var node = new Node(direct);
        // A store that has this account is not fresh any more, and gets no sample image.
        await NodeRegistry.TokenAsync(node, "demo");
        await using var blobs = await FaultProxy.StartAsync(AddressOf(direct, "BlobEndpoint"));
        await using var tables = await FaultProxy.StartAsync(AddressOf(direct, "TableEndpoint"));
        var proxied = direct
            .Replace(AddressOf(direct, "BlobEndpoint"), blobs.Address, StringComparison.Ordinal)
            .Replace(AddressOf(direct, "TableEndpoint"), tables.Address, StringComparison.Ordinal);
        await using var fleet = new Fleet(proxied, token: null, servers, sweeps: false);
        await fleet.StartAsync();
        (blobs.OneIn, tables.OneIn) = stale ? (0, 0) : (OneInSoManyFails, OneInSoManyFails);
        tables.AnswersOldVersions = stale;

        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var killer = kills ? fleet.KillAsync(() => Task.CompletedTask, end.Token) : Task.CompletedTask;
        var histories = new List<IReadOnlyCollection<Operation>>();
        for (var done = 0; done < operations; done += InOneNamespace)
        {
            var name = $"history{histories.Count}";
            var token = await NodeRegistry.TokenAsync(node, name);
            var recorder = new Recorder(fleet, name, token);
            await recorder.PrepareAsync(new NodeRegistry(node, name, token));
            await recorder.RunAsync(Clients, Math.Min(InOneNamespace, operations - done));
            histories.Add(recorder.History);
        }

        await end.CancelAsync();
        await killer;
        var unknown = histories.Sum(h => h.Count(o => o.Outcome == OperationOutcome.Unknown));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{histories.Sum(h => h.Count)} operations, {unknown} without an answer, {fleet.Kills} servers killed, {blobs.Faults} faults of blobs, {tables.Faults} of tables"
        );
        return histories;
    }

    private static string AddressOf(string connection, string endpoint) =>
        new Uri(
            connection.Split(';').Single(p => p.StartsWith($"{endpoint}=", StringComparison.Ordinal))[
                (endpoint.Length + 1)..
            ]
        ).GetLeftPart(UriPartial.Authority);
}
