using System.Net;
using System.Text;
using ImagesFunctions.Policy;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using ImagesFunctions.Tests.Stress;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Policy.Limited;

namespace ImagesFunctions.Tests.Policy;

/// <summary>Three real processes on one store that are killed again and again, while clients push against what an account keeps to.</summary>
[TakesLong(seconds: 60)]
public sealed class RulesUnderKills
{
    private const int Servers = 3;
    private const int Clients = 12;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [ScheduleFact]
    public Task Of_three_hundred_racing_pushes_of_one_immutable_tag_one_wins() => RaceAsync(300);

    [LongFact]
    public Task Of_a_thousand_racing_pushes_of_one_immutable_tag_one_wins() => RaceAsync(1_000);

    /// <summary>A quota is not passed, and counts what rows add up to, whoever was killed when.</summary>
    [ScheduleFact]
    public async Task A_quota_is_never_passed()
    {
        const int Size = 1_000;
        const int Room = 20;
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        var token = await NodeRegistry.TokenAsync(node, "alice");
        await SetAsync(node, (Room * Size) + (Size / 2));
        await using var fleet = new Fleet(connection, token, Servers, sweeps: false);

        var answers = await UnderKillsAsync(
            fleet,
            Enumerable.Range(0, 3 * Room).Select(_ => Bytes(Size)),
            bytes =>
                fleet.TryAsync("POST", $"/v2/alice/web/blobs/uploads/?digest={Layout.DigestOf(bytes)}", bytes, true)
        );

        await IsCountedAsync(node);
        var used = await InRowsAsync(node);
        Assert.InRange(used.Bytes, answers.Count(a => a.Reply?.Status == HttpStatusCode.Created) * Size, Room * Size);
        Assert.All(
            answers,
            a =>
                Assert.True(
                    a.Reply is not { Status: not (HttpStatusCode.Created or HttpStatusCode.Forbidden) },
                    $"{a.Reply?.Status}"
                )
        );
        // There was room for all that were not refused: an event, or the same push again, takes in what was killed.
        var open = answers.Where(a => a.Reply is null).Select(a => a.Item).ToList();
        foreach (var bytes in open)
        {
            await fleet.TryAsync("POST", $"/v2/alice/web/blobs/uploads/?digest={Layout.DigestOf(bytes)}", bytes, true);
        }

        await IsCountedAsync(node);
        Assert.InRange((await InRowsAsync(node)).Bytes, used.Bytes, Room * Size);
    }

    private static async Task RaceAsync(int pushes)
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        await node
            .Services.GetRequiredService<ImagesApp>()
            .SetRulesAsync("alice", AccountRules.Parse(Ruled.Rules), Stop);
        byte[] config = [.. "{}"u8];
        Assert.Equal(HttpStatusCode.Created, (await PutBlobAsync(registry, config)).Status);
        await using var fleet = new Fleet(connection, token, Servers, sweeps: false);

        var answers = await UnderKillsAsync(
            fleet,
            Enumerable.Range(0, pushes).Select(i => Manifest(config, i)),
            manifest =>
                fleet.TryAsync(
                    "PUT",
                    "/v2/alice/web/manifests/v1",
                    manifest,
                    headers: ("Content-Type", Layout.OciManifest)
                )
        );

        var pulled = await registry.SendAsync("GET", "/v2/alice/web/manifests/v1");
        Assert.Equal(HttpStatusCode.OK, pulled.Status);
        var winner = pulled["Docker-Content-Digest"];
        Assert.All(
            answers,
            answer =>
            {
                // Who was not answered may have won, and then nobody else has.
                var isWinner = Layout.DigestOf(answer.Item) == winner;
                Assert.True(
                    answer.Reply is null || (answer.Reply.Status == HttpStatusCode.Created) == isWinner,
                    $"{answer.Reply?.Status} {isWinner}"
                );
            }
        );
        Assert.True(answers.Count(a => a.Reply?.Status == HttpStatusCode.Forbidden) > pushes / 2);
    }

    private static async Task<List<(byte[] Item, Reply? Reply)>> UnderKillsAsync(
        Fleet fleet,
        IEnumerable<byte[]> items,
        Func<byte[], Task<Reply?>> push
    )
    {
        await fleet.StartAsync();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var killing = fleet.KillAsync(() => Task.CompletedTask, end.Token);
        var answers = new List<(byte[], Reply?)>();
        await Parallel.ForEachAsync(
            items,
            new ParallelOptions { MaxDegreeOfParallelism = Clients, CancellationToken = Stop },
            async (item, _) =>
            {
                var reply = await push(item);
                lock (answers)
                {
                    answers.Add((item, reply));
                }
            }
        );
        await end.CancelAsync();
        await killing;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{answers.Count} pushes, {answers.Count(a => a.Item2 is null)} without an answer, {fleet.Kills} servers killed"
        );
        return answers;
    }

    private static byte[] Manifest(byte[] config, int number) =>
        Encoding.UTF8.GetBytes(
            $$$"""{"schemaVersion":2,"mediaType":"{{{Layout.OciManifest}}}","config":{"mediaType":"{{{Layout.OciConfig}}}","digest":"{{{Layout.DigestOf(config)}}}","size":2},"layers":[],"annotations":{"n":"{{{number}}}"}}"""
        );
}
