using System.Net;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;
using ImagesFunctions.Catalog;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Rebuild;

/// <summary>
/// Containers as they were at an earlier moment lead to the tables of that moment. Here their blobs are copied, because the emulator has
/// no soft delete: so all ETags are others, as in an account that was copied to.
/// </summary>
[TakesLong(seconds: 20)]
public sealed class EarlierMoment
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Containers_of_an_earlier_moment_lead_to_its_tables()
    {
        var store = await LostTables.FilledAsync();
        await using var node = store.Node();
        var writer = node.Services.GetRequiredService<CatalogWriter>();
        var before = await store.AnswersAsync(node);
        var (images, catalog) = (await CopyAsync(node.Storage.Images), await CopyAsync(node.Storage.Catalog));

        var registry = new NodeRegistry(node, LostTables.Account, store.Token);
        await ExpectAsync(HttpStatusCode.Created, registry.PushAsync("alice/web", Layout.Small("later"), "v1"));
        await ExpectAsync(HttpStatusCode.Accepted, registry.SendAsync("DELETE", "/v2/alice/dropped/manifests/kept"));
        Assert.True(await writer.FlushAsync(Stop));
        await PutBackAsync(node.Storage.Images, images);
        await PutBackAsync(node.Storage.Catalog, catalog);
        await store.LoseAsync();
        await store.RebuildAsync();

        await using var fresh = store.Node();
        TablesAreRebuilt.Same(before, await store.AnswersAsync(fresh));
        await fresh.StartAsync();
        TablesAreRebuilt.Same(before, await store.AnswersAsync(fresh));
    }

    /// <summary>A copy of a journal is a blob of another type: nothing can be added to it.</summary>
    [Fact]
    public async Task A_copy_of_a_catalog_is_gone_on_with()
    {
        var store = await LostTables.FilledAsync();
        await using var node = store.Node();
        var journal = node.Services.GetRequiredService<CatalogJournal>();
        await node.Tagging.SetAsync(
            Node.Repository("alice/web"),
            "more",
            Node.Digest(Layout.Small("first").FirstImage),
            Stop
        );
        var seq = await journal.ForwardAsync(LostTables.Account, [], Stop);
        await PutBackAsync(node.Storage.Catalog, await CopyAsync(node.Storage.Catalog));

        await node.Tagging.SetAsync(
            Node.Repository("alice/web"),
            "most",
            Node.Digest(Layout.Small("first").FirstImage),
            Stop
        );

        Assert.Equal(seq + 1, await journal.ForwardAsync(LostTables.Account, [], Stop));
        var read = await new CatalogFiles(node.Storage).ReadAsync(LostTables.Account, Stop);
        Assert.Contains(Keys.Tag("web", "most"), read!.State.Rows.Keys);
    }

    private static async Task<Dictionary<string, (byte[] Bytes, IDictionary<string, string> Metadata)>> CopyAsync(
        BlobContainerClient container
    )
    {
        var all = new Dictionary<string, (byte[], IDictionary<string, string>)>(StringComparer.Ordinal);
        await foreach (var blob in container.GetBlobsAsync(cancellationToken: Stop))
        {
            var read = (await container.GetBlobClient(blob.Name).DownloadContentAsync(Stop)).Value;
            all.Add(blob.Name, (read.Content.ToArray(), read.Details.Metadata));
        }

        return all;
    }

    private static async Task PutBackAsync(
        BlobContainerClient container,
        Dictionary<string, (byte[] Bytes, IDictionary<string, string> Metadata)> copy
    )
    {
        await foreach (var blob in container.GetBlobsAsync(cancellationToken: Stop))
        {
            await container.DeleteBlobAsync(blob.Name, cancellationToken: Stop);
        }

        foreach (var (name, (bytes, metadata)) in copy)
        {
            await container
                .GetBlobClient(name)
                .UploadAsync(BinaryData.FromBytes(bytes), new BlobUploadOptions { Metadata = metadata }, Stop);
        }
    }

    private static async Task ExpectAsync(HttpStatusCode status, Task<Reply> reply) =>
        Assert.Equal(status, (await reply).Status);
}
