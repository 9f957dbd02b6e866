using System.Net;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using static ImagesFunctions.Tests.Sweep.SweptRepository;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>What is left of removed blobs: bytes whose removal was killed, and for a day a row that says that they are gone.</summary>
public sealed class RemovedBlobs
{
    [Fact]
    public async Task Removals_that_were_killed_half_way_are_finished()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var here = Node.Digest(await BlobAsync(node, "still here"));
        var gone = Node.Digest(await BlobAsync(node, "gone"));
        foreach (var digest in (Digest[])[here, gone])
        {
            var row = await node.RowStore.BlobAsync(new BlobPath(Node.Repository(Repo), digest), Stop);
            await node.RowStore.PutBlobAsync(Namespace, row! with { State = BlobState.Deleting }, row, Stop);
        }

        await node
            .Storage.Images.GetBlobClient($"{Repo}/{Layout.PathOf(gone.ToString())}")
            .DeleteAsync(cancellationToken: Stop);

        Assert.Equal(2, (await node.SweepAsync(TimeSpan.Zero))[SweepKind.Removals]);
        Assert.Empty(await node.PathsAsync());
        await RowsGoAfterADayAsync(node);
    }

    /// <summary>What is dropped or pushed in their place, or comes back as it was, takes the row's place.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task They_may_come_again_within_the_day(bool isPushed)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var path = new BlobPath(Node.Repository(Repo), Node.Digest(await BlobAsync(node, "again")));
        Assert.True((await node.Removal.BlobAsync(path, Stop)).Found);
        Assert.True((await node.RowStore.BlobAsync(path, Stop))!.IsRemoved);

        if (isPushed)
        {
            var registry = new NodeRegistry(node, Namespace, await NodeRegistry.TokenAsync(node, Namespace));
            var upload = $"/v2/{Repo}/blobs/uploads/?digest={path.Digest}";
            Assert.Equal(
                HttpStatusCode.Created,
                (await registry.SendAsync("POST", upload, "again"u8.ToArray())).Status
            );
        }
        else
        {
            await BlobAsync(node, "again");
        }

        Assert.Equal(BlobState.Good, (await node.RowStore.BlobAsync(path, Stop))!.State);
        await node.SweepAsync(TimeSpan.FromHours(23));
        Assert.Equal([path.ToString()], await node.PathsAsync());
        Assert.Equal(BlobState.Good, (await node.RowStore.BlobAsync(path, Stop))!.State);
    }

    // Those of removed blobs are all that is left.
    private static async Task RowsGoAfterADayAsync(Node node)
    {
        var rows = await node.RowsAsync(Namespace);
        Assert.NotEmpty(rows);
        Assert.All(rows, key => Assert.Equal('b', key[0]));
        Assert.Empty((await node.SweepAsync(TimeSpan.FromHours(23))).Counts);
        Assert.Equal(rows, await node.RowsAsync(Namespace));
        Assert.Empty((await node.SweepAsync(TimeSpan.FromHours(25))).Counts);
        Assert.Empty(await node.RowsAsync(Namespace));
    }
}
