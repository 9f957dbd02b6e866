using System.Net;
using ImagesFunctions.Catalog;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.RealImages;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Rebuild.LostTables;

namespace ImagesFunctions.Tests.Rebuild;

/// <summary>Lost tables come back from the containers with everything that they said.</summary>
[TakesLong(seconds: 40)]
public sealed class TablesAreRebuilt
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Everything_is_answered_as_before()
    {
        var store = await FilledAsync();
        await using var node = store.Node();
        var before = await store.AnswersAsync(node);
        var seq = (await node.Storage.ImageRows.VersionAsync(Account, Stop)).Seq;
        await store.LoseAsync();

        var result = await store.RebuildAsync();
        Assert.Equal(["accounts", "images"], result.Tables);
        Assert.Equal([Account], result.Namespaces);
        Assert.Empty(result.Failed);

        // The process that remembers the tables that were lost, and one that does not.
        await using var fresh = store.Node();
        Same(before, await store.AnswersAsync(node));
        Same(before, await store.AnswersAsync(fresh));
        await Invariants.HoldSinceRebuildAsync(fresh, Account);
        Assert.True((await node.Storage.ImageRows.VersionAsync(Account, Stop)).Seq > seq + 100_000);
        var refused = new NodeRegistry(fresh, Account, store.Revoked);
        Assert.Equal(HttpStatusCode.Unauthorized, (await refused.SendAsync("GET", "/v2/")).Status);
        var pinned = await fresh.Services.GetRequiredService<Pins>().AllAsync(Account, Stop);
        Assert.Equal(Layout.Small("first").FirstImage, Assert.Single(pinned).Digest.ToString());

        // What is new afterwards is as good as ever.
        var registry = new NodeRegistry(fresh, Account, store.Token);
        Assert.Equal(
            HttpStatusCode.Created,
            (await registry.PushAsync("alice/web", Layout.Small("new"), "latest")).Status
        );
        Assert.Equal("no table", (await store.RebuildAsync()).Tables is [] ? "no table" : "some");
    }

    /// <summary>Events and sweeps find nothing to change, also in what the rebuild has written itself.</summary>
    [Fact]
    public async Task Nothing_changes_by_events_and_sweeps_afterwards()
    {
        var store = await FilledAsync();
        await using var node = store.Node();
        var before = await store.AnswersAsync(node);
        await store.LoseAsync();
        await store.RebuildAsync();

        await using var fresh = store.Node();
        await fresh.StartAsync();
        await fresh.SweepAsync(TimeSpan.FromHours(3));
        Same(before, await store.AnswersAsync(fresh));

        // And again, from what the rebuild has left.
        await store.LoseAsync();
        await store.RebuildAsync();
        await using var again = store.Node();
        Same(before, await store.AnswersAsync(again));
    }

    [Fact]
    public async Task A_sweep_that_finds_a_table_gone_makes_it_anew()
    {
        var store = await FilledAsync();
        await using var node = store.Node();
        var before = await store.AnswersAsync(node);
        await store.LoseAsync();

        var result = await node.SweepAsync(TimeSpan.FromMinutes(1));

        Assert.Equal(0, result[SweepKind.Failed]);
        Same(before, await store.AnswersAsync(node));
    }

    [Fact]
    public async Task A_table_that_is_there_stays_as_it_is()
    {
        var store = await FilledAsync();
        await using var node = store.Node();
        var before = await store.AnswersAsync(node);
        var version = await node.Storage.ImageRows.VersionAsync(Account, Stop);
        await node.Storage.Accounts.DeleteAsync(Stop);

        Assert.Equal(["accounts"], (await store.RebuildAsync()).Tables);

        Same(before, await store.AnswersAsync(node));
        Assert.Equal(version, await node.Storage.ImageRows.VersionAsync(Account, Stop));
    }

    /// <summary>A start makes tables only in a store that never had any.</summary>
    [Fact]
    public async Task A_start_makes_no_empty_table_in_the_place_of_a_lost_one()
    {
        var store = await FilledAsync();
        await using var node = store.Node();
        var before = await store.AnswersAsync(node);
        await store.LoseAsync();

        Assert.False(await node.Storage.CreateAsync(Stop));
        await Assert.ThrowsAnyAsync<Exception>(() => node.RowsAsync(Account));
        await node.Services.GetRequiredService<ImagesApp>().CreateAsync(Stop);

        Same(before, await store.AnswersAsync(node));
        Assert.True(await node.Storage.CreateAsync(Stop));
    }

    [Fact]
    public async Task Bytes_are_not_believed()
    {
        var store = await FilledAsync();
        var layer = $"alice/web/{Layout.Small("second").FirstLayer}";
        await using var node = store.Node();
        await node.PutAsync(layer, "other bytes"u8.ToArray());
        await store.LoseAsync();
        await store.RebuildAsync();

        await using var fresh = store.Node();
        var registry = new NodeRegistry(fresh, Account, store.Token);
        Assert.Equal(HttpStatusCode.NotFound, (await registry.SendAsync("GET", "/v2/alice/web/manifests/v2")).Status);
        Assert.Equal(HttpStatusCode.OK, (await registry.SendAsync("GET", "/v2/alice/web/manifests/v1")).Status);

        // With the right bytes it is back, with its tags.
        await node.PutAsync(layer, Layout.Small("second").Files[Layout.Small("second").FirstLayer]);
        await fresh.LandAsync([layer]);
        Assert.Equal(HttpStatusCode.OK, (await registry.SendAsync("GET", "/v2/alice/web/manifests/v2")).Status);
    }

    /// <summary>A namespace whose catalog cannot be read is not served, and does not keep the others from it.</summary>
    [Fact]
    public async Task A_damaged_catalog_is_never_taken_for_less()
    {
        var store = await FilledAsync();
        await using (var node = store.Node())
        {
            await node.PutAsync("bob/app", Layout.Small("of bob", "v1"));
            await node.StartAsync();
            await node.SweepAsync(TimeSpan.FromMinutes(1));
            var blob = node.Storage.Catalog.GetBlobClient($"namespaces/{Account}/checkpoint");
            var bytes = (await blob.DownloadContentAsync(Stop)).Value.Content.ToArray();
            bytes[bytes.Length / 2] ^= 1;
            await blob.UploadAsync(BinaryData.FromBytes(bytes), overwrite: true, Stop);
        }

        await store.LoseAsync();
        var result = await store.RebuildAsync();

        Assert.Equal(["bob"], result.Namespaces);
        Assert.Contains("checkpoint", Assert.Single(result.Failed).Value, StringComparison.Ordinal);
        await using var fresh = store.Node();
        Assert.NotEmpty(await fresh.ListedAsync("bob"));
        await Assert.ThrowsAsync<StorageUnavailableException>(() => fresh.ListedAsync(Account));
    }

    [Fact]
    public async Task Skopeo_and_umoci_read_each_repository()
    {
        var store = await FilledAsync();
        await store.LoseAsync();
        await store.RebuildAsync();

        await using var node = store.Node();
        using var folder = new Local.TemporaryFolder();
        foreach (var path in await node.PathsAsync())
        {
            var file = Path.Combine(folder.Path, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await node.Storage.Images.GetBlobClient(path).DownloadToAsync(file, Stop);
        }

        var web = Path.Combine(folder.Path, "alice/web");
        Assert.Equal(
            ["both", "docker", "latest", "v1", "v2"],
            (await Tool.LinesAsync("umoci", "ls", "--layout", web)).Order(StringComparer.Ordinal)
        );
        foreach (var tag in (string[])["docker", "latest", "v1", "v2"])
        {
            Assert.Contains(
                "sha256:",
                await Tool.RunAsync("skopeo", "inspect", "--raw", $"oci:{web}:{tag}"),
                StringComparison.Ordinal
            );
            Assert.NotEqual("", await Tool.RunAsync("umoci", "stat", "--image", $"{web}:{tag}"));
        }

        Assert.Contains(
            "manifests",
            await Tool.RunAsync("skopeo", "inspect", "--raw", $"oci:{web}:both"),
            StringComparison.Ordinal
        );
        Assert.NotEqual(
            "",
            await Tool.RunAsync("skopeo", "inspect", "--raw", $"oci:{Path.Combine(folder.Path, "alice/tools/cli")}")
        );
    }

    internal static void Same(SortedDictionary<string, string> before, SortedDictionary<string, string> after)
    {
        // What a rebuild writes beside a repository is no blob of it.
        Assert.Equal(before.Keys, after.Keys);
        Assert.All(before, answer => Assert.Equal($"{answer.Key} {answer.Value}", $"{answer.Key} {after[answer.Key]}"));
    }
}
