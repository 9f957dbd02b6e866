using System.Text.Json.Nodes;
using ImagesFunctions.Catalog;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Rebuild;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Policy.Ruled;

namespace ImagesFunctions.Tests.Policy;

/// <summary>Rules come back with lost tables, and cost nothing where there are none.</summary>
[TakesLong(seconds: 20)]
public sealed class RulesAreKept
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task They_come_back_with_lost_tables()
    {
        var store = await LostTables.FilledAsync();
        await using (var node = store.Node())
        {
            var writer = node.Services.GetRequiredService<CatalogWriter>();
            await SetAsync(node, store.Token, Rules);
            Assert.True(await writer.FlushAsync(Stop));
        }

        await store.LoseAsync();
        Assert.Empty((await store.RebuildAsync()).Failed);

        await using var fresh = store.Node();
        var registry = new NodeRegistry(fresh, "alice", store.Token);
        await DeniedAsync(registry.PushAsync("alice/web", Layout.Small("second"), "v1"));
        var data = JsonNode.Parse((await V1Async(fresh, store.Token, "GET", "/v1/images/rules")).Text)!["data"]!;
        Assert.Equal(Rules, data["rules"]!.ToJsonString());
        Assert.NotNull(data["set_by"]!["token"]);
    }

    /// <summary>What was pulled is lost with the tables: nothing goes as if nobody had pulled it.</summary>
    [Fact]
    public async Task Lost_tables_leave_pulls_unknown_until_then()
    {
        var pulls = Retained.Rules("**", null, Retained.Unpulled);
        var store = await LostTables.FilledAsync();
        await using (var node = store.Node())
        {
            var writer = node.Services.GetRequiredService<CatalogWriter>();
            await SetAsync(node, store.Token, pulls);
            await Retained.NotedSinceAsync(node, "alice", TimeSpan.FromDays(9));
            Assert.True(await writer.FlushAsync(Stop));
        }

        var before = DateTimeOffset.UtcNow;
        await store.LoseAsync();
        Assert.Empty((await store.RebuildAsync()).Failed);

        await using var fresh = store.Node();
        var row = RulesRow.FromOrNull(await fresh.RowStore.GetAsync("alice", Keys.Rules, Stop))!;
        Assert.Equal(pulls, row.Rules.Text);
        // A process may remember that it has noted a pull today.
        Assert.InRange(row.PullsNotedSince!.Value, before, DateTimeOffset.UtcNow.AddDays(1).AddMinutes(1));
        Assert.Equal(TimeSpan.Zero, row.PullsNotedSince.Value.TimeOfDay);
        Assert.True(row.At < before);
        var times = new SweepOptions { Later = TimeSpan.FromSeconds(5) };
        Assert.Empty((await fresh.Sweeper.TryAsync("alice", AccountRules.Parse(pulls), times, Stop)).Images);
    }

    /// <summary>An earlier version that brings a catalog forward passes over the row, and a sweep makes up for that.</summary>
    [Fact]
    public async Task A_sweep_finds_a_catalog_without_them()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        await CreatedAsync(new NodeRegistry(node, "alice", token).PushAsync("alice/web", Layout.Small("first"), "v1"));
        var catalog = node.Services.GetRequiredService<CatalogJournal>();
        await catalog.ForwardAsync("alice", [], Stop);
        var row = new RulesRow(AccountRules.Parse(Rules), DateTimeOffset.UnixEpoch, By: null).ToRow();
        Assert.True((await node.Storage.ImageRows.PutAsync("alice", new Change(row.Key, row), Stop)).IsDone);

        await node.SweepAsync(TimeSpan.FromHours(2));

        var read = await new CatalogFiles(node.Storage).ReadAsync("alice", Stop);
        Assert.Equal(CatalogRow.Of(row), read!.State.Rows[Keys.Rules]);
    }

    [Fact]
    public async Task An_account_without_rules_pays_nothing_and_one_with_rules_a_read_at_most()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var token = await NodeRegistry.TokenAsync(node, "alice");
        var registry = new NodeRegistry(node, "alice", token);
        var (first, second) = (Layout.Small("first"), Layout.Small("second"));
        await CreatedAsync(registry.PushAsync("alice/web", first, "v0"));
        await CreatedAsync(registry.PushAsync("alice/web", second, "r0"));
        var without = await CostAsync("v1");
        var again = await CostAsync("v2");
        await SetAsync(node, token, Rules);
        // The row that has just changed is read once.
        await CostAsync("r1");

        Assert.Equal(without, again);
        Assert.Equal(without, await CostAsync("r2"));
        Assert.InRange(await CostAsync("v3"), without, without + 1);
        Assert.InRange(await CostAsync("v4"), without, without + 1);

        async Task<int> CostAsync(string tag)
        {
            var before = node.Calls.Count;
            await CreatedAsync(
                registry.SendAsync(
                    "PUT",
                    $"/v2/alice/web/manifests/{tag}",
                    first.Files[Layout.PathOf(first.FirstImage)],
                    Layout.OciManifest
                )
            );
            return node.Calls.Count - before;
        }
    }
}
