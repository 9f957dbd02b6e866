using ImagesFunctions.Oci;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.Repositories;

/// <summary>What a push is told that it need not send stays for at least half of its grace.</summary>
public sealed class BlobRetentionTests(SharedNode shared) : IClassFixture<SharedNode>
{
    [Theory]
    // How it came | how many hours ago | whether its row is renewed; within a second of half of the grace.
    [InlineData(true, 0, false)]
    [InlineData(true, 11, false)]
    [InlineData(true, 12, true)]
    [InlineData(true, 24 * 365, true)]
    [InlineData(false, 12, false)]
    [InlineData(false, (15 * 24) - 1, false)]
    [InlineData(false, 15 * 24, true)]
    public async Task A_row_is_renewed_when_half_of_its_grace_is_over(bool pushed, int hours, bool isRenewed)
    {
        var before = await PutAsync(Blob("layer", pushed: pushed));

        var row = await RetentionAfter(TimeSpan.FromHours(hours)).RenewAsync(before.Path, Stop);

        Assert.Equal(isRenewed, row!.RowETag != before.ETag);
        Assert.Equal(Blob("layer", pushed: pushed) with { RowETag = row.RowETag }, row);
        Assert.Equal(row, await shared.Node.RowStore.BlobAsync(before.Path, Stop));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_goes_or_is_invalid_is_not_promised(bool goes)
    {
        var before = await PutAsync(Blob("layer", goes ? BlobState.Deleting : Invalid));
        Assert.Null(await RetentionAfter(TimeSpan.Zero).RenewAsync(before.Path, Stop));
        Assert.Null(await RetentionAfter(TimeSpan.FromDays(60)).RenewAsync(before.Path, Stop));
        Assert.Equal(before.ETag, (await shared.Node.RowStore.BlobAsync(before.Path, Stop))!.RowETag);
    }

    [Fact]
    public async Task What_is_not_there_is_not_promised()
    {
        var before = await PutAsync(Blob("layer"));
        Assert.Null(await RetentionAfter(TimeSpan.Zero).RenewAsync(before.Path with { Digest = D("other") }, Stop));
    }

    [Fact]
    public async Task One_that_others_keep_changing_is_given_up()
    {
        await using var node = new Faults.Node(shared.Node.Connection);
        var before = await PutAsync(Blob("layer"));
        var tries = 0;
        node.Calls.Before = async (_, message) =>
        {
            // Beside the note that its namespace is to be swept.
            if (
                message.Request.Method == Azure.Core.RequestMethod.Put
                && !message.Request.Uri.ToString().Contains("due'", StringComparison.Ordinal)
            )
            {
                tries++;
                var row = await shared.Node.RowStore.BlobAsync(before.Path, Stop);
                Assert.True(await shared.Node.RowStore.PutBlobAsync(before.Path.Repository.Namespace, row!, row, Stop));
            }
        };
        var retention = new BlobRetention(node.Storage, node.RowStore, Grace(TimeSpan.FromDays(60)));

        await Assert.ThrowsAsync<StorageUnavailableException>(() => retention.RenewAsync(before.Path, Stop));

        Assert.Equal(5, tries);
    }

    private BlobRetention RetentionAfter(TimeSpan later) =>
        new(shared.Node.Storage, shared.Node.RowStore, Grace(later));

    private static BlobGrace Grace(TimeSpan later) => new SweepOptions { Later = later }.Grace;

    // Into a namespace that has no rows.
    private async Task<(BlobPath Path, VersionTag ETag)> PutAsync(BlobRow row)
    {
        var path = new BlobPath(Repository.Of($"n{Guid.NewGuid():N}", App), row.Digest);
        Assert.True(await shared.Node.RowStore.PutBlobAsync(path.Repository.Namespace, row, null, Stop));
        return (path, (await shared.Node.RowStore.BlobAsync(path, Stop))!.RowETag);
    }
}
