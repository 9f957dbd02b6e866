using System.Text;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Tests.Faults;

/// <summary>One blob of which storage says nothing does not keep a sweep from all others.</summary>
public sealed class OneBlobStalls
{
    [Fact]
    public async Task The_rest_is_swept_and_it_is_taken_in_later()
    {
        await using var outside = new Node(await Storages.NewWithTablesAsync());
        var stalled = PathOf("alice", "one");
        string[] strays = [PathOf("alice", "two"), PathOf("bob", "one")];
        foreach (var (path, text) in new[] { (stalled, "one"), (strays[0], "two"), (strays[1], "one") })
        {
            await outside.PutAsync(path, Encoding.UTF8.GetBytes(text));
        }

        await outside.LandAsync(strays);
        using var says = new StorageSays(outside.Connection);
        says.Hold = request =>
            Uri.UnescapeDataString(request.RequestUri!.AbsolutePath).EndsWith(stalled, StringComparison.Ordinal);
        var times = new StorageTimes { Progress = TimeSpan.FromSeconds(2) };
        await using var node = new Node(AzureLimits.AccountOver(outside.Connection, says, times));

        var sweep = node.SweepYoungAsync();
        await Deadline.OfAsync(sweep, "a sweep beside a blob that stalls", TimeSpan.FromSeconds(60));
        await sweep;

        Assert.NotEqual(0, says.Held);
        Assert.Equal([stalled], await outside.PathsAsync());
        says.Hold = _ => false;
        await node.SweepAllAsync();
        Assert.Empty(await outside.PathsAsync());
        Assert.DoesNotContain(await outside.RowsAsync("alice"), row => row.StartsWith("x!", StringComparison.Ordinal));
    }

    private static string PathOf(string account, string text) =>
        $"{account}/web/{Layout.PathOf(Layout.DigestOf(Encoding.UTF8.GetBytes(text)))}";
}
