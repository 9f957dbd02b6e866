using ImagesFunctions.Accounts;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Local;

/// <summary>A store is called empty when it is, and not when it only has no account of the name that a first start makes.</summary>
public sealed class FreshStoreTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_that_holds_nothing_is_empty()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());

        Assert.Equal(StoreHolds.Nothing, await FreshStore.LookAsync(node.Storage, Stop));
    }

    [Fact]
    public async Task One_with_an_account_is_not_empty_whatever_the_account_is_called()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await NodeRegistry.TokenAsync(node, "alice");

        Assert.Equal(StoreHolds.Something, await FreshStore.LookAsync(node.Storage, Stop));
    }

    [Fact]
    public async Task One_with_a_dropped_image_and_no_account_is_not_empty()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        // Beside the sample, too.
        await SampleImage.ImportAsync(node.Storage.Images, Stop);
        await node
            .Storage.Images.GetBlobClient("official/hello/blobs/sha256/00")
            .UploadAsync(new BinaryData("x"), Stop);

        Assert.Equal(StoreHolds.Something, await FreshStore.LookAsync(node.Storage, Stop));
    }

    [Fact]
    public async Task One_whose_images_and_tokens_are_gone_was_used_and_is_not_empty()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var tokens = new Tokens(node.Storage);
        var (token, text) = await tokens.CreateAsync("alice", lifetime: null, Stop);
        var client = new NodeRegistry(node, "alice", text);
        await client.PushAsync("alice/web", Layout.Small("text", "v1"), "v1");
        await tokens.RevokeAsync("alice", token.Id, Stop);
        await foreach (var blob in node.Storage.Images.GetBlobsAsync(cancellationToken: Stop))
        {
            await node.Storage.Images.DeleteBlobAsync(blob.Name, cancellationToken: Stop);
        }

        Assert.Equal(StoreHolds.Something, await FreshStore.LookAsync(node.Storage, Stop));
    }

    [Fact]
    public async Task A_first_start_that_was_killed_before_its_end_is_known_by_the_sample()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await SampleImage.ImportAsync(node.Storage.Images, Stop);
        await foreach (var blob in node.Storage.Images.GetBlobsAsync(cancellationToken: Stop))
        {
            await node.Ingest.LandedAsync(blob.Name, Stop);
        }

        Assert.Equal(StoreHolds.TheSample, await FreshStore.LookAsync(node.Storage, Stop));
    }
}
