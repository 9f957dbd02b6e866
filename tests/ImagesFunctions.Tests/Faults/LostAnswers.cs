using System.Net;
using System.Security.Cryptography;

namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// The connection is cut after a call took effect, one run a call: the process lives, tries again, and everything ends
/// as if nothing had happened, in the same run.
/// </summary>
[TakesLong(seconds: 25)]
public sealed class LostAnswers
{
    [ScheduleFact]
    public async Task Change_nothing_when_a_layout_lands()
    {
        var layout = Layout.Small("one", "latest");
        string[] paths = [.. layout.Files.Keys.Select(p => $"alice/web/{p}").OrderDescending()];
        string[] expected = [$"web@{Layout.Digest(layout.Manifests[0])} latest"];
        var every = LongFactAttribute.Every(5);
        for (var (call, calls) = (1 + Random.Shared.Next(every), every); call <= calls; call += every)
        {
            await using var node = new Node(await Storages.NewWithTablesAsync());
            await node.PutAsync("alice/web", layout);
            var before = node.Calls.Count;
            node.Calls.LoseAnswerOf(number => number == before + call);

            await node.LandAsync(paths);

            calls = node.Calls.Count - before;
            Assert.Equal(expected, await node.ListedAsync("alice"));
            await Invariants.SettledAsync(node, "alice");
        }
    }

    [LongFact]
    public Task Change_nothing_when_a_layout_lands_at_every_call() => Change_nothing_when_a_layout_lands();

    [ScheduleTheory]
    [InlineData(1_000, false)]
    [InlineData(5_000_000, true)]
    public async Task Change_nothing_when_a_chunk_is_stored(int length, bool chunked)
    {
        var bytes = RandomNumberGenerator.GetBytes(length);
        for (var (call, calls) = (1, 1); call <= calls; call++)
        {
            await using var node = new Node(await Storages.NewWithTablesAsync());
            var client = new NodeRegistry(node, "alice", await NodeRegistry.TokenAsync(node, "alice"));
            var location = (await client.SendAsync("POST", "/v2/alice/web/blobs/uploads/"))["Location"]!;
            var before = node.Calls.Count;
            node.Calls.LoseAnswerOf(number => number == before + call);

            var patch = await client.SendAsync("PATCH", location, bytes, chunked: chunked);

            calls = node.Calls.Count - before;
            Assert.True(patch.Status == HttpStatusCode.Accepted, $"call {call}: {patch.Text}");
            Assert.Equal($"0-{length - 1}", patch["Range"]);
            var put = await client.SendAsync("PUT", $"{location}?digest={Layout.DigestOf(bytes)}");
            Assert.True(put.Status == HttpStatusCode.Created, $"call {call}: {put.Text}");
        }
    }

    [ScheduleFact]
    public async Task Change_nothing_when_every_seventh_gets_lost_and_layouts_land_side_by_side()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        node.Calls.LoseAnswerOf(number => number % 7 == 0);
        var layouts = Enumerable
            .Range(1, 12)
            .Select(i => (Repo: $"alice/app{i:D2}", Layout: Layout.Small($"text {i}", "v")))
            .ToList();

        await Parallel.ForEachAsync(
            layouts,
            new ParallelOptions
            {
                MaxDegreeOfParallelism = 4,
                CancellationToken = TestContext.Current.CancellationToken,
            },
            async (one, _) =>
            {
                await node.PutAsync(one.Repo, one.Layout);
                await node.LandAsync(one.Layout.Files.Keys.Select(p => $"{one.Repo}/{p}"));
            }
        );

        Assert.Equal(
            layouts.Select(one => $"{one.Repo[6..]}@{Layout.Digest(one.Layout.Manifests[0])} v"),
            await node.ListedAsync("alice")
        );
        await Invariants.SettledAsync(node, "alice");
    }
}
