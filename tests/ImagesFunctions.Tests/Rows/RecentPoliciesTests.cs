using ImagesFunctions.Journal;
using ImagesFunctions.Policy;
using ImagesFunctions.Tests.Faults;
using Microsoft.Extensions.Time.Testing;

namespace ImagesFunctions.Tests.Rows;

/// <summary>What a process knows of what accounts keep to.</summary>
public sealed class RecentPoliciesTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task They_are_read_once_a_minute_and_after_this_process_has_set_something()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var time = new FakeTimeProvider();
        var recent = new RecentPolicies(node.Storage.ImageRows, time);
        Assert.Equal(new Policies(null, null), await recent.GetAsync("alice", Stop));
        var quota = new QuotaRow(7, DateTimeOffset.UnixEpoch);
        await node.Storage.ImageRows.PutAsync("alice", new Change(Keys.Quota, quota.ToRow()), Stop);
        var before = node.Calls.Count;

        Assert.Null((await recent.GetAsync("alice", Stop)).Quota);
        Assert.Equal(before, node.Calls.Count);
        time.Advance(RecentPolicies.MaxAge);
        Assert.Equal(quota, (await recent.GetAsync("alice", Stop)).Quota);
        Assert.Equal(before + 1, node.Calls.Count);

        await node.Storage.ImageRows.PutAsync("alice", new Change(Keys.Quota, null), Stop);
        recent.Forget("alice");
        Assert.Null((await recent.GetAsync("alice", Stop)).Quota);
    }

    /// <summary>A row that this version cannot read keeps nobody from pulling.</summary>
    [Fact]
    public void Rules_of_a_newer_version_are_none_here()
    {
        var rules = new RulesRow(AccountRules.None, DateTimeOffset.UnixEpoch, By: null).ToRow();
        var quota = new QuotaRow(7, DateTimeOffset.UnixEpoch);
        Assert.NotNull(Policies.Of([rules, quota.ToRow()]).Rules);
        rules = new TableRow(rules.Key) { ["schema"] = 99L, ["rules"] = "{}" };

        Assert.Equal(new Policies(null, quota), Policies.Of([quota.ToRow(), rules]));
    }
}
