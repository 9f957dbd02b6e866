using System.Net;
using Azure.Core;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using static ImagesFunctions.Tests.Policy.Retained;
using static ImagesFunctions.Tests.Policy.Ruled;

namespace ImagesFunctions.Tests.Policy;

/// <summary>Pushes beside collections that keep to rules: an image that has got a tag is not lost to a decision made before.</summary>
[TakesLong(seconds: 30)]
public sealed class RetentionRaces
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tag_that_is_set_between_the_decision_and_its_commit_keeps_the_image()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        await using var sweeper = new Node(connection);
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        await SetAsync(node, token, Rules("web", null, All));
        var retagged = new List<string>();
        var image = Layout.Small("old");
        await CreatedAsync(registry.PushAsync("alice/web", image, image.FirstImage));
        var row = Keys.Image("web", Node.Digest(image.FirstImage));
        sweeper.Calls.Before = async (_, message) =>
        {
            // The transaction that would remove it is on its way.
            if (
                retagged.Count == 0
                && await BodyOfAsync(message) is { } body
                && body.Contains(row, StringComparison.Ordinal)
            )
            {
                retagged.Add("v1");
                await CreatedAsync(PutAsync(registry, image, image.Manifests[0], "v1"));
            }
        };

        var result = await sweeper.SweepAsync(TimeSpan.FromDays(8));

        Assert.Equal(["v1"], retagged);
        Assert.Equal(0, result[SweepKind.Images]);
        Assert.Equal([$"web@{image.FirstImage} v1"], await node.ListedAsync("alice"));
        await Invariants.CompleteAsync(node, "alice");
    }

    [Fact]
    public async Task Whoever_is_told_that_a_tag_is_set_can_pull_it_whatever_collections_do_meanwhile()
    {
        const int Rounds = 12;
        var connection = await Storages.NewWithTablesAsync();
        await using var first = new Node(connection);
        await using var second = new Node(connection);
        await using var sweeper = new Node(connection);
        var token = await NodeRegistry.TokenAsync(first, "alice");
        NodeRegistry[] registries = [new(first, "alice", token), new(second, "alice", token)];
        await SetAsync(first, token, Rules("web", null, """{"untagged_after":"7d"}"""));
        var (won, lost) = (0, 0);
        for (var round = 0; round < Rounds; round++)
        {
            var image = Layout.Small($"image {round}");
            await CreatedAsync(registries[0].PushAsync("alice/web", image, image.FirstImage));
            var sweeping = sweeper.SweepAsync(TimeSpan.FromDays(8));
            var replies = await Task.WhenAll(
                registries.Select((r, i) => PutAsync(r, image, image.Manifests[0], $"v{round}-{i}"))
            );
            await sweeping;

            foreach (var (i, reply) in replies.Index())
            {
                if (reply.Status != HttpStatusCode.Created)
                {
                    // The image was gone before, and its layers with it.
                    Assert.Equal("MANIFEST_BLOB_UNKNOWN", reply.Code);
                    lost++;
                    continue;
                }

                won++;
                var pulled = await registries[1 - i].SendAsync("GET", $"/v2/alice/web/manifests/v{round}-{i}");
                Assert.Equal(image.FirstImage, pulled["Docker-Content-Digest"]);
            }

            await Invariants.CompleteAsync(first, "alice");
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{won} tags set, {lost} came too late");
        Assert.True(won > 0);
    }
}
