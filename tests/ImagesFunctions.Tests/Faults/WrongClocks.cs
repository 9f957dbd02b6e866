using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ImagesFunctions.Accounts;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Faults;

/// <summary>An instance whose own clock is days off writes and judges every age by the storage service's clock, like all others.</summary>
public sealed class WrongClocks
{
    private const string Repo = "alice/web";

    private static readonly TimeSpan s_hour = TimeSpan.FromHours(1);
    private static readonly TimeSpan s_soon = TimeSpan.FromMinutes(10);

    private readonly Layout _image = Layout.Small("one");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private string Layer => _image.FirstLayer["blobs/".Length..].Replace('/', ':');

    [Theory]
    [InlineData(-3)]
    [InlineData(3)]
    public async Task A_session_that_it_begins_lives_for_a_day(int days)
    {
        await using var right = new Node(await Storages.NewWithTablesAsync());
        await using var wrong = Wrong(right, days);
        var token = await NodeRegistry.TokenAsync(right, "alice");
        var registry = new NodeRegistry(wrong, "alice", token);
        var session = (await registry.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/"))["Location"]!;
        Assert.Equal(HttpStatusCode.Accepted, (await registry.SendAsync("PATCH", session, new byte[20_000])).Status);

        // By its own clock what others begin may be days old, or not begun yet.
        Assert.Empty((await right.SweepAsync(TimeSpan.Zero)).Counts);
        Assert.Empty((await wrong.SweepAsync(TimeSpan.Zero)).Counts);
        Assert.Equal(HttpStatusCode.NoContent, (await registry.SendAsync("GET", session)).Status);

        var swept = await right.SweepAsync(TimeSpan.FromDays(1) + s_soon);
        Assert.Equal((1, 1), (swept[SweepKind.Sessions], swept[SweepKind.Uploads]));
    }

    [Theory]
    [InlineData(-3)]
    [InlineData(3)]
    public async Task A_token_that_it_makes_or_judges_lives_as_long_as_was_said(int days)
    {
        await using var right = new Node(await Storages.NewWithTablesAsync());
        await using var wrong = Wrong(right, days);
        // The first thing that it asks of storage.
        var (made, text) = await wrong.Services.GetRequiredService<Tokens>().CreateAsync("alice", s_hour, Stop);
        var (_, other) = await right.Services.GetRequiredService<Tokens>().CreateAsync("alice", s_hour, Stop);

        IsSoon(made.Created);
        IsSoon(made.Expires - s_hour);
        foreach (var node in (Node[])[right, wrong])
        {
            foreach (var token in (string[])[text, other])
            {
                var reply = await new NodeRegistry(node, "alice", token).SendAsync("GET", "/v2/");
                Assert.Equal(HttpStatusCode.OK, reply.Status);
            }
        }

        Assert.False((await ListAsync(wrong)).Exists(t => t.IsExpired));
    }

    [Theory]
    [InlineData(-3)]
    [InlineData(3)]
    public async Task What_it_commits_pins_and_refuses_has_storages_time(int days)
    {
        await using var right = new Node(await Storages.NewWithTablesAsync());
        await using var wrong = Wrong(right, days);
        var token = await NodeRegistry.TokenAsync(right, "alice");
        var registry = new NodeRegistry(wrong, "alice", token);
        Assert.Equal(HttpStatusCode.Created, (await registry.PushAsync(Repo, _image, "v1")).Status);
        var pin = new JsonArray(
            new JsonObject
            {
                ["url"] = $"{Repo}:v1",
                ["timeout_s"] = -1,
                ["autokill"] = new JsonObject { ["time_ms"] = (long)s_hour.TotalMilliseconds },
            }
        );
        var pinned = await registry.SendAsync(
            "POST",
            "/v1/images",
            Encoding.UTF8.GetBytes(pin.ToJsonString()),
            headers: ("Authorization", $"Bearer {token}")
        );
        Assert.Contains("\"status\":\"success\",\"data\"", pinned.Text, StringComparison.Ordinal);

        var row = await right.RowStore.ImageAsync(Node.Repository(Repo), Node.Digest(_image.FirstImage), Stop);
        IsSoon(row!.Committed);
        IsSoon(row.Pin!.Since);
        foreach (var node in (Node[])[right, wrong])
        {
            var removed = await node.Removal.ImageAsync(Node.Repository(Repo), row.Digest, Stop);
            Assert.True(removed.IsPinned);
        }

        await right.PutAsync($"{Repo}/blobs/sha256/{new string('0', 64)}", [1]);
        await wrong.LandAsync([$"{Repo}/blobs/sha256/{new string('0', 64)}"]);
        var status = await right.Services.GetRequiredService<StatusReader>().ReadAsync("alice", null, Stop);
        var refused = Assert.Single(status.Refused);
        IsSoon(refused.At);
    }

    /// <summary>Storage copies what it is given a signed address for, which has a beginning and an end.</summary>
    [Theory]
    [InlineData(-3)]
    [InlineData(3)]
    public async Task It_mounts_blobs(int days)
    {
        await using var right = new Node(await Storages.NewWithTablesAsync());
        await using var wrong = Wrong(right, days);
        var registry = new NodeRegistry(wrong, "alice", await NodeRegistry.TokenAsync(right, "alice"));
        Assert.Equal(HttpStatusCode.Created, (await registry.PushAsync(Repo, _image, "v1")).Status);

        var mount = await registry.SendAsync("POST", $"/v2/alice/other/blobs/uploads/?mount={Layer}&from={Repo}");

        Assert.Equal(HttpStatusCode.Created, mount.Status);
    }

    private static Node Wrong(Node right, int days) =>
        new(
            AzureLimits.AccountOver(
                right.Connection,
                new SocketsHttpHandler(),
                new StorageTimes { Clock = new DaysOff(days) }
            )
        );

    private static void IsSoon(DateTimeOffset? moment) =>
        Assert.InRange(moment!.Value, DateTimeOffset.UtcNow - s_soon, DateTimeOffset.UtcNow + s_soon);

    private static async Task<List<Token>> ListAsync(Node node)
    {
        var tokens = new List<Token>();
        await foreach (var token in node.Services.GetRequiredService<Tokens>().ListAsync("alice", Stop))
        {
            tokens.Add(token);
        }

        return tokens;
    }

    private sealed class DaysOff(int days) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddDays(days);
    }
}
