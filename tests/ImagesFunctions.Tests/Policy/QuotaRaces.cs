using System.Net;
using System.Text;
using Azure.Core;
using ImagesFunctions.Rows;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using static ImagesFunctions.Tests.Policy.Limited;
using static ImagesFunctions.Tests.Policy.Ruled;

namespace ImagesFunctions.Tests.Policy;

/// <summary>An account that others fill while a push is under way, and make room in.</summary>
[TakesLong(seconds: 10)]
public sealed class QuotaRaces
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The push is refused, and its bytes are there for whoever has taken them in.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Bytes_that_do_not_fit_go_unless_somebody_has_taken_them_in(bool isTakenIn)
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var other = new Node(connection);
        var token = await NodeRegistry.TokenAsync(other, "alice");
        await SetAsync(other, 1_000);
        var registry = new NodeRegistry(other, "alice", token);
        await using var node = new Node(connection);
        var bytes = Bytes(600);
        var path = $"alice/web/{Layout.PathOf(Layout.DigestOf(bytes))}";
        var (isFull, isFree) = (false, false);
        node.Calls.Before = async (_, message) =>
        {
            if (!isFull && message.Request.Uri.ToString().EndsWith("$batch", StringComparison.Ordinal))
            {
                isFull = true;
                await CreatedAsync(PutBlobAsync(registry, Bytes(500)));
            }
            else if (
                isTakenIn
                && isFull
                && !isFree
                && await TextAsync(message) is var text
                && text.Contains("\"deleting\"")
            )
            {
                isFree = true;
                await SetAsync(other, 2_000);
                await other.LandAsync([path]);
            }
        };

        var reply = await PutBlobAsync(new NodeRegistry(node, "alice", token), bytes);

        IsFull(reply, 1_000, 500, 600);
        Assert.Equal((true, isTakenIn), (isFull, isFree));
        Assert.Equal(isTakenIn, (await other.PathsAsync()).Contains(path));
        Assert.Equal(isTakenIn ? 1_100 : 500, (await InRowsAsync(other)).Bytes);
        await IsCountedAsync(other);
        // Its event, and the same push once there is room.
        await SetAsync(other, 2_000);
        await other.LandAsync([path]);
        await CreatedAsync(PutBlobAsync(registry, bytes));
        Assert.Equal(new UsedRow(1_100, 2), await InRowsAsync(other));
        await IsCountedAsync(other);
    }

    /// <summary>At each of its calls to storage the push dies: what is counted is what rows say, and the same push again is answered as ever.</summary>
    [Fact]
    public async Task A_push_that_is_killed_anywhere_counts_for_nothing_or_once()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var other = new Node(connection);
        var token = await NodeRegistry.TokenAsync(other, "alice");
        await SetAsync(other, 1_000_000);
        var alive = new NodeRegistry(other, "alice", token);
        for (var call = 1; ; call++)
        {
            var image = Layout.Small($"killed {call}");
            await using var node = new Node(connection);
            node.Calls.KillAt(call, afterIt: call % 2 == 0);
            var isKilled = false;
            try
            {
                isKilled = (await PushAsync(node)).Status != HttpStatusCode.Created;
            }
            catch (KilledException)
            {
                isKilled = true;
            }

            await IsCountedAsync(other);
            await CreatedAsync(alive.PushAsync("alice/web", image, "v1"));
            await IsCountedAsync(other);
            if (!isKilled)
            {
                Assert.InRange(call, 20, 200);
                return;
            }

            Task<Reply> PushAsync(Node mortal) =>
                new NodeRegistry(mortal, "alice", token).PushAsync("alice/web", image, "v1");
        }
    }

    private static async Task<string> TextAsync(HttpMessage message)
    {
        if (message.Request.Content is not { } content)
        {
            return "";
        }

        using var body = new MemoryStream();
        await content.WriteToAsync(body, Stop);
        return Encoding.UTF8.GetString(body.ToArray());
    }
}
