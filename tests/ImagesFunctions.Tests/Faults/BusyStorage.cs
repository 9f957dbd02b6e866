namespace ImagesFunctions.Tests.Faults;

/// <summary>Storage that is too busy is asked again.</summary>
public sealed class BusyStorage
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>A partition refuses a transaction inside an answer that says 202: that is not tried again unless we do.</summary>
    [Fact]
    public async Task A_transaction_that_its_partition_refuses_is_sent_again()
    {
        var connection = await Storages.NewWithTablesAsync();
        using var limits = new AzureLimits(AzureLimits.TablePortOf(connection), dividedBy: 1);
        await using var node = new Node(AzureLimits.AccountOver(connection, limits));
        var needed = Node.Digest(Layout.DigestOf([1]));
        limits.RefuseTransactions(3);
        await node.RowStore.PutDependenciesAsync(
            "alice",
            [new DependencyRow("web", needed, Dependent.Layout, Layout.OciManifest)],
            Stop
        );
        Assert.Single(await node.RowStore.DependentsAsync(Node.Repository("alice/web"), needed, Stop));
        Assert.Equal(3, limits.Counts.ByPlace);

        limits.RefuseTransactions(3);
        await node.RowStore.CommitAsync(
            "alice",
            (view, _) => Task.FromResult(Decision.Of(0, [new Change("j!web", new TableRow("j!web"))])),
            Stop
        );
        Assert.NotNull(await node.RowStore.GetAsync("alice", "j!web", Stop));
        Assert.Equal(6, limits.Counts.ByPlace);
    }

    /// <summary>Nobody waits for a sweep: a page that storage is too busy for, even after the SDK's tries, does not end it.</summary>
    [Fact]
    public async Task A_sweep_waits_for_storage_that_is_busy_and_goes_on()
    {
        var connection = await Storages.NewWithTablesAsync();
        using var limits = new AzureLimits(AzureLimits.TablePortOf(connection), dividedBy: 1);
        await using var node = new Node(AzureLimits.AccountOver(connection, limits));
        var image = Layout.Small("one");
        await node.PutAsync("alice/web", image, image.FirstLayer);
        await node.LandAsync([$"alice/web/{image.FirstLayer}"]);

        limits.RefuseQueries(7);
        var swept = await node.SweepYoungAsync();

        Assert.Equal(7, limits.Counts.ByPlace);
        Assert.DoesNotContain(SweepKind.Failed, swept.Counts.Keys);
        Assert.Empty(await node.PathsAsync());
    }
}
