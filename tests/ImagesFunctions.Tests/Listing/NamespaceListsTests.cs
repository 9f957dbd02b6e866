using Azure;
using ImagesFunctions.Images;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Listing;

public sealed class NamespaceListsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_unchanged_list_costs_one_read_and_one_more_for_each_commit_since()
    {
        await using var writer = await WithImageAsync("alice/web");
        await using var reader = new Node(writer.Connection);
        Assert.Single(await reader.ListedAsync("alice"));

        Assert.Equal(1, await CallsAsync(reader, () => reader.ListedAsync("alice")));
        await TagAsync(writer, "alice/web", "v2");
        Assert.Equal(
            2,
            await CallsAsync(
                reader,
                async () => Assert.EndsWith("v1 v2", Assert.Single(await reader.ListedAsync("alice")))
            )
        );
        await TagAsync(writer, "alice/web", "v3");
        await TagAsync(writer, "alice/web", "v4");
        Assert.Equal(3, await CallsAsync(reader, () => reader.ListedAsync("alice")));
    }

    [Fact]
    public async Task A_log_that_was_trimmed_makes_it_scan()
    {
        await using var writer = await WithImageAsync("alice/web");
        await using var reader = new Node(writer.Connection);
        await reader.ListedAsync("alice");
        await TagAsync(writer, "alice/web", "v2");
        await TagAsync(writer, "alice/web", "v3");
        var trimmed = (await writer.RowStore.VersionAsync("alice", Stop)).Seq - 1;
        await writer.Storage.ImageTable.DeleteEntityAsync("alice", JournalKeys.Entry(trimmed), ETag.All, Stop);

        Assert.EndsWith("v1 v2 v3", Assert.Single(await reader.ListedAsync("alice")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Storage_that_was_emptied_under_the_process_lists_nothing()
    {
        await using var writer = await WithImageAsync("alice/web");
        await using var reader = new Node(writer.Connection);
        Assert.Single(await reader.ListedAsync("alice"));
        foreach (var range in (KeyRange[])[new("a", "z")])
        {
            foreach (var row in await writer.RowStore.RangeAsync("alice", range, Stop))
            {
                await writer.Storage.ImageTable.DeleteEntityAsync("alice", row.Key, ETag.All, Stop);
            }
        }

        Assert.Empty(await reader.ListedAsync("alice"));
    }

    [Fact]
    public async Task Lists_beyond_the_bound_are_let_go_and_made_again()
    {
        await using var node = await WithImageAsync("alice/web");
        await using var bob = await WithImageAsync("bob/web", node.Connection);
        await using var carol = await WithImageAsync("carol/web", node.Connection);
        var lists = new NamespaceLists(node.RowStore, node.ImageRows, new ListSnapshots(node.Storage)) { MaxBytes = 1 };

        foreach (var (ns, kept) in ((string, int)[])[("alice", 1), ("bob", 2), ("carol", 2), ("alice", 2)])
        {
            Assert.Equal(1, (await lists.CurrentAsync(ns, null, Stop)).Count);
            Assert.Equal(kept, lists.Count);
        }
    }

    /// <summary>Where one namespace alone takes all the memory that lists may have, it and the official one are still kept.</summary>
    [Fact]
    public async Task The_two_lists_that_one_request_needs_never_push_each_other_out()
    {
        await using var node = await WithImageAsync("alice/web");
        await using var official = await WithImageAsync("official/hello", node.Connection);
        var lists = new NamespaceLists(node.RowStore, node.ImageRows, new ListSnapshots(node.Storage)) { MaxBytes = 1 };
        string[] both = ["alice", "official"];
        await Task.WhenAll(both.Select(ns => lists.CurrentAsync(ns, null, Stop)));

        for (var request = 0; request < 3; request++)
        {
            var before = node.Calls.Count;
            await Task.WhenAll(both.Select(ns => lists.CurrentAsync(ns, null, Stop)));

            // The numbers of the two namespaces, and nothing else.
            Assert.Equal(2, node.Calls.Count - before);
        }
    }

    [Fact]
    public async Task An_app_alone_is_read_alone_until_the_whole_namespace_is_kept()
    {
        await using var node = await WithImageAsync("alice/web");
        await using var other = await WithImageAsync("alice/api", node.Connection);
        var lists = new NamespaceLists(node.RowStore, node.ImageRows, new ListSnapshots(node.Storage));

        Assert.Equal(1, (await lists.CurrentAsync("alice", "web", Stop)).Count);
        Assert.Equal(2, (await lists.CurrentAsync("alice", null, Stop)).Count);
        Assert.Equal(2, (await lists.CurrentAsync("alice", "web", Stop)).Count);
        Assert.Equal(0, (await lists.CurrentAsync("nobody", null, Stop)).Count);
    }

    [Fact]
    public async Task A_version_that_cannot_be_read_is_an_error_and_never_an_old_list()
    {
        await using var node = await WithImageAsync("alice/web");
        await node.ListedAsync("alice");
        node.Calls.KillAt(node.Calls.Count + 1, afterIt: false);

        await Assert.ThrowsAnyAsync<Exception>(() => node.ListedAsync("alice"));
    }

    private static async Task<Node> WithImageAsync(string repository, string? connection = null)
    {
        var node = new Node(connection ?? await Storages.NewWithTablesAsync());
        await node.PutAsync(repository, Layout.Small(repository, "v1"));
        await node.StartAsync();
        return node;
    }

    private static async Task TagAsync(Node node, string repository, string tag) =>
        Assert.True(
            await node.Tagging.SetAsync(
                Node.Repository(repository),
                tag,
                Node.Digest(Layout.Small(repository, "v1").FirstImage),
                Stop
            )
        );

    private static async Task<int> CallsAsync(Node node, Func<Task> act)
    {
        var before = node.Calls.Count;
        await act();
        return node.Calls.Count - before;
    }
}
