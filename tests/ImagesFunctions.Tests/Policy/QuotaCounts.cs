using ImagesFunctions.Catalog;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Rebuild;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Policy.Limited;
using static ImagesFunctions.Tests.Policy.Ruled;

namespace ImagesFunctions.Tests.Policy;

/// <summary>What an account with a quota is said to take is what its rows add up to: by drops, invalidations, collections and after losses.</summary>
[TakesLong(seconds: 15)]
public sealed class QuotaCounts
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_drop_that_does_not_fit_is_refused_and_heals_when_there_is_room()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        var (first, second) = (Layout.Small("first"), Layout.Small("second", "v2"));
        await CreatedAsync(registry.PushAsync("alice/web", first, "v1"));
        var used = await LeaveAsync(node, 100);

        await node.PutAsync("alice/dropped", second);
        await node.StartAsync();

        var layer = $"alice/dropped/{second.FirstLayer}";
        var refused = await RefusedAsync(node, token);
        var said = Assert.Single(refused, p => p!["path"]?.GetValue<string>() == layer)!;
        Assert.Contains(
            $"The account alice may store {used.Bytes + 100} bytes and stores {used.Bytes}: ",
            said["reason"]!.GetValue<string>(),
            StringComparison.Ordinal
        );
        Assert.Single(await node.ListedAsync("alice"));
        await IsCountedAsync(node);

        // Nothing of it is garbage, and nothing is hashed in vain; and as soon as there is room it is taken in by a pass.
        await node.SweepAsync(TimeSpan.FromHours(1));
        Assert.Single(await node.ListedAsync("alice"));
        await AcceptedAsync(registry, $"/v2/alice/web/manifests/{first.FirstImage}");
        await SetAsync(node, 1_000_000);
        await node.PassAsync(TimeSpan.FromHours(1));

        Assert.Equal($"dropped@{second.FirstImage} v2", Assert.Single(await node.ListedAsync("alice")));
        Assert.Empty(await RefusedAsync(node, token));
        await IsCountedAsync(node);
    }

    /// <summary>Also where the account takes more than it may: an image that was there has its bytes again when they are back.</summary>
    [Theory]
    [InlineData(10)]
    [InlineData(-100)]
    public async Task Bytes_that_go_and_come_back_are_counted_once(long room)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var image = Layout.Small("first");
        await CreatedAsync(new NodeRegistry(node, "alice", token).PushAsync("alice/web", image, "v1"));
        var used = await LeaveAsync(node, room);
        var layer = $"alice/web/{image.FirstLayer}";

        await node.Storage.Images.GetBlobClient(layer).DeleteAsync(cancellationToken: Stop);
        await node.LandAsync([layer]);
        await IsCountedAsync(node);
        Assert.Equal(used.Bytes - image.Files[image.FirstLayer].Length, (await InRowsAsync(node)).Bytes);
        Assert.Empty(await node.ListedAsync("alice"));

        foreach (var bytes in (byte[][])["other bytes"u8.ToArray(), image.Files[image.FirstLayer]])
        {
            await node.PutAsync(layer, bytes);
            await node.LandAsync([layer, layer]);
            await IsCountedAsync(node);
        }

        Assert.Equal(used, await InRowsAsync(node));
        Assert.Single(await node.ListedAsync("alice"));
    }

    [Fact]
    public async Task A_quota_may_be_set_while_others_push()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        await using var other = new Node(connection);
        var token = await NodeRegistry.TokenAsync(node, "alice");
        // One that does not know of a quota before it is set, as long as it does not look again.
        await CreatedAsync(PutBlobAsync(new NodeRegistry(other, "alice", token), Bytes(10)));
        var pushing = Task.WhenAll(
            Enumerable
                .Range(0, 60)
                .Select(i => PutBlobAsync(new NodeRegistry(i % 2 == 0 ? node : other, "alice", token), Bytes(100 + i)))
        );
        await SetAsync(node, 1_000_000);
        await pushing;

        // What the other one has written since is counted by the next collection.
        await node.SweepAsync(TimeSpan.Zero);
        await IsCountedAsync(node);
        Assert.Equal(61, (await InRowsAsync(node)).Blobs);
    }

    [Fact]
    public async Task A_count_goes_on_while_rows_change()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var registry = new NodeRegistry(node, "alice", await NodeRegistry.TokenAsync(node, "alice"));
        var (first, second) = (Layout.Small("first"), Layout.Small("second"));
        await CreatedAsync(registry.PushAsync("alice/web", first, "v1"));
        await CreatedAsync(registry.PushAsync("alice/web", second, "v2"));
        await SetAsync(node, 1_000_000);
        // Somebody who did not count.
        await node.Storage.ImageRows.PutAsync("alice", new(Keys.Used, new UsedRow(-5, 77).ToRow()), Stop);
        var quotas = node.Services.GetRequiredService<Quotas>();
        var recount = await quotas.BeginAsync("alice", Stop);

        foreach (var row in await node.Storage.ImageRows.RangeAsync("alice", Keys.All('b'), Stop))
        {
            recount!.Add(row);
            if (row.Key == Keys.Blob("web", Node.Digest(first.FirstImage)))
            {
                await AcceptedAsync(registry, $"/v2/alice/web/manifests/{first.FirstImage}");
            }

            await CreatedAsync(PutBlobAsync(registry, Bytes(100)));
        }

        Assert.True(await quotas.CommitAsync("alice", recount!, Stop));
        await IsCountedAsync(node);
        Assert.True(await quotas.CommitAsync("alice", recount!, Stop));
        await IsCountedAsync(node);
    }

    /// <summary>Also of an account that takes more than it may: what was there comes back whole.</summary>
    [Fact]
    public async Task A_quota_comes_back_with_lost_tables()
    {
        var store = await LostTables.FilledAsync();
        UsedRow used;
        await using (var node = store.Node())
        {
            var writer = node.Services.GetRequiredService<CatalogWriter>();
            used = await InRowsAsync(node);
            await SetAsync(node, used.Bytes / 2);
            Assert.True(await writer.FlushAsync(Stop));
        }

        await store.LoseAsync();
        Assert.Empty((await store.RebuildAsync()).Failed);

        await using var fresh = store.Node();
        await IsCountedAsync(fresh);
        Assert.Equal(used, await InRowsAsync(fresh));
        var reply = await PutBlobAsync(new NodeRegistry(fresh, "alice", store.Token), Bytes(10));
        IsFull(reply, used.Bytes / 2, used.Bytes, 10);
    }

    /// <summary>An earlier version that brings a catalog forward passes over the row, and a sweep makes up for that.</summary>
    [Fact]
    public async Task A_sweep_finds_a_catalog_without_the_quota()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var registry = new NodeRegistry(node, "alice", await NodeRegistry.TokenAsync(node, "alice"));
        await CreatedAsync(registry.PushAsync("alice/web", Layout.Small("first"), "v1"));
        await node.Services.GetRequiredService<CatalogJournal>().ForwardAsync("alice", [], Stop);
        var row = new QuotaRow(1_000_000, DateTimeOffset.UnixEpoch).ToRow();
        Assert.True((await node.Storage.ImageRows.PutAsync("alice", new Change(row.Key, row), Stop)).IsDone);

        await node.SweepAsync(TimeSpan.FromHours(2));

        var read = await new CatalogFiles(node.Storage).ReadAsync("alice", Stop);
        Assert.Equal(CatalogRow.Of(row), read!.State.Rows[Keys.Quota]);
        // Nobody had counted: the sweep has.
        await IsCountedAsync(node);
    }
}
