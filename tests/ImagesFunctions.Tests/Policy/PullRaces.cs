using System.Net;
using System.Text;
using Azure.Core;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using static ImagesFunctions.Tests.Policy.Retained;
using static ImagesFunctions.Tests.Policy.Ruled;

namespace ImagesFunctions.Tests.Policy;

/// <summary>Pulls beside collections that count them, kills, and storage that cannot be written.</summary>
[TakesLong(seconds: 20)]
public sealed class PullRaces
{
    private static readonly TimeSpan s_moment = TimeSpan.FromSeconds(5);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pull_between_the_decision_and_its_commit_keeps_the_image()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await using var sweeper = new Node(node.Connection);
        var (registry, image) = await PreparedAsync(node);
        var pulls = 0;
        sweeper.Calls.Before = async (_, message) =>
        {
            if (await WritesAsync(message, Keys.Image("web", Node.Digest(image))) && pulls++ == 0)
            {
                await PulledAsync(registry, "GET", "v1");
            }
        };

        var result = await sweeper.SweepAsync(s_moment);

        Assert.Equal(1, pulls);
        Assert.Equal(0, result[SweepKind.Images]);
        Assert.Equal([$"web@{image} v1"], await node.ListedAsync("alice"));
        await PulledAsync(registry, "GET", "v1");
        await Invariants.CompleteAsync(node, "alice");
    }

    /// <summary>It would be told of layers that are on their way out.</summary>
    [Fact]
    public async Task A_pull_of_an_image_that_goes_before_it_is_noted_finds_nothing()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await using var sweeper = new Node(node.Connection);
        var (registry, image) = await PreparedAsync(node);
        var sweeps = 0;
        node.Calls.Before = async (_, message) =>
        {
            if (await WritesAsync(message, Keys.Pulled("web", Node.Digest(image))) && sweeps++ == 0)
            {
                Assert.Equal(1, (await sweeper.SweepAsync(s_moment))[SweepKind.Images]);
            }
        };

        var reply = await registry.SendAsync("GET", "/v2/alice/web/manifests/v1");

        Assert.Equal(1, sweeps);
        Assert.Equal((HttpStatusCode.NotFound, "MANIFEST_UNKNOWN"), (reply.Status, reply.Code));
        Assert.Empty(await PullsAsync(node, "alice"));
    }

    /// <summary>Killed before or after any of its calls: whoever was answered has left the row.</summary>
    [Fact]
    public async Task Whoever_was_answered_has_pulled_the_image_whenever_the_process_is_killed()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var (_, image) = await PreparedAsync(node);
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var answered = 0;
        for (var call = 1; answered < 2; call++)
        {
            foreach (var afterIt in (bool[])[false, true])
            {
                await RemovePullsAsync(node);
                await using var victim = new Node(node.Connection);
                victim.Calls.KillAt(call, afterIt);
                Reply? reply = null;
                await Record.ExceptionAsync(async () =>
                    reply = await new NodeRegistry(victim, "alice", token).SendAsync(
                        "GET",
                        $"/v2/alice/web/manifests/{image}"
                    )
                );
                if (reply?.Status == HttpStatusCode.OK)
                {
                    answered++;
                    Assert.Single(await PullsAsync(node, "alice"));
                }
            }

            Assert.True(call < 40);
        }
    }

    [Fact]
    public async Task The_row_is_written_before_the_answer_is_sent()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var (registry, image) = await PreparedAsync(node);
        var isWritten = false;
        var noted = new TaskCompletionSource();
        node.Calls.Before = async (_, message) =>
        {
            if (await WritesAsync(message, Keys.Pulled("web", Node.Digest(image))))
            {
                await noted.Task;
                isWritten = true;
            }
        };

        var pull = registry.SendAsync("GET", "/v2/alice/web/manifests/v1");
        await Task.WhenAny(pull, Task.Delay(TimeSpan.FromSeconds(1), Stop));
        Assert.False(pull.IsCompleted);
        noted.SetResult();

        Assert.Equal(HttpStatusCode.OK, (await pull).Status);
        Assert.True(isWritten);
    }

    [Fact]
    public async Task Where_nothing_may_be_written_pulls_are_answered_all_the_same()
    {
        await using var outside = new Node(await Storages.NewWithTablesAsync());
        await PreparedAsync(outside);
        var token = await NodeRegistry.TokenAsync(outside, "alice");
        using var says = new StorageSays(outside.Connection);
        await using var node = new Node(AzureLimits.AccountOver(outside.Connection, says));
        var registry = new NodeRegistry(node, "alice", token);
        var isAnnounced = false;
        says.Say = request =>
            request.Method == HttpMethod.Get || request.Method == HttpMethod.Head ? null
            // The note for the sweeper goes through, and then the commit does not.
            : isAnnounced && !request.RequestUri!.ToString().Contains("$batch", StringComparison.Ordinal) ? null
            : new SaidByStorage(HttpStatusCode.Forbidden, "AuthorizationPermissionMismatch");

        await PulledAsync(registry, "GET", "v1");
        isAnnounced = true;
        await PulledAsync(registry, "GET", "v1");
        Assert.Empty(await PullsAsync(outside, "alice"));
        Assert.True(says.Said >= 2);

        says.Say = _ => null;
        await PulledAsync(registry, "GET", "v1");
        Assert.Single(await PullsAsync(outside, "alice"));
    }

    private static async Task<(NodeRegistry Registry, string Image)> PreparedAsync(Node node)
    {
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        await SetAsync(node, token, Rules("web", null, Unpulled));
        await NotedSinceAsync(node, "alice", TimeSpan.FromDays(1));
        var image = Layout.Small("image");
        await CreatedAsync(registry.PushAsync("alice/web", image, "v1"));
        return (registry, image.FirstImage);
    }

    private static async Task<bool> WritesAsync(HttpMessage message, string key) =>
        await BodyOfAsync(message) is { } body && body.Contains(key, StringComparison.Ordinal);
}
