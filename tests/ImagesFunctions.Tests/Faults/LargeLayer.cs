using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Boot;
using ImagesFunctions.Oci;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Faults;

/// <summary>The garbage collector counts for the whole process: nothing else may run beside these tests.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>A layer is never held in memory, however long it is.</summary>
[Collection(nameof(Alone))]
public sealed class LargeLayer
{
    private const string Repo = "alice/web";
    private const int Block = 64 * 1024 * 1024;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [LongFact]
    public Task Of_2_GiB_is_ingested_with_less_than_64_MiB_of_managed_growth() => IngestAsync(blocks: 32);

    [Fact]
    public Task Of_256_MiB_is_ingested_with_less_than_64_MiB_of_managed_growth() => IngestAsync(blocks: 4);

    [LongFact]
    public Task Of_2_GiB_is_sent_in_a_boot_tar_with_less_than_64_MiB_of_managed_growth() => BootAsync(blocks: 32);

    private static async Task IngestAsync(int blocks)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var digest = await StoredAsync(node, blocks);

        await GrowsByLittleAsync(() => node.Ingest.LandedAsync(PathOf(digest), Stop));

        var row = await node.RowStore.BlobAsync(new BlobPath(Node.Repository(Repo), Node.Digest(digest)), Stop);
        Assert.Equal((long)blocks * Block, row?.Size);
    }

    private static async Task BootAsync(int blocks)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var digest = await StoredAsync(node, blocks);
        await node.Ingest.LandedAsync(PathOf(digest), Stop);
        var layout = new Layout();
        var layer = new JsonObject
        {
            ["mediaType"] = Layout.OciTar,
            ["digest"] = digest,
            ["size"] = (long)blocks * Block,
        };
        var manifest = layout.AddManifest(layout.Add(Layout.OciConfig, new JsonObject { ["os"] = "linux" }), layer);
        layout.Index(Layout.Tagged(manifest, "v1"));
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        var images = node.Services.GetRequiredService<BootImages>();
        Digest? named = null;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        await GrowsByLittleAsync(async () =>
        {
            named = await images.DigestAsync(Node.Repository(Repo), "v1", isPull: false, () => { }, Stop);
            var tar = await images.TarAsync(Node.Repository(Repo), named!, isPull: false, Stop);
            await images.CopyAsync(
                tar!,
                0,
                tar!.Length,
                bytes =>
                {
                    hash.AppendData(bytes.Span);
                    return ValueTask.CompletedTask;
                },
                Stop
            );
        });

        Assert.Equal($"sha256:{Convert.ToHexStringLower(hash.GetHashAndReset())}", $"{named}");
    }

    private static string PathOf(string digest) => $"{Repo}/{Layout.PathOf(digest)}";

    // A blob that storage puts together from the same block again and again.
    private static async Task<string> StoredAsync(Node node, int blocks)
    {
        var bytes = new byte[Block];
        new Random(1).NextBytes(bytes);
        using var hash = SHA256.Create();
        var ids = new List<string>();
        var blob = node.Storage.Images.GetBlockBlobClient($"{Repo}/staged");
        for (var i = 0; i < blocks; i++)
        {
            hash.TransformBlock(bytes, 0, bytes.Length, null, 0);
            ids.Add(Convert.ToBase64String(BitConverter.GetBytes(i)));
            await blob.StageBlockAsync(ids[^1], new MemoryStream(bytes), cancellationToken: Stop);
        }

        hash.TransformFinalBlock([], 0, 0);
        var digest = $"sha256:{Convert.ToHexStringLower(hash.Hash!)}";
        await blob.CommitBlockListAsync(ids, cancellationToken: Stop);
        var copy = await node
            .Storage.Images.GetBlobClient(PathOf(digest))
            .StartCopyFromUriAsync(blob.Uri, cancellationToken: Stop);
        await copy.WaitForCompletionAsync(Stop);
        return digest;
    }

    private static async Task GrowsByLittleAsync(Func<Task> work)
    {
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var most = 0L;
        using var done = new CancellationTokenSource();
        var watch = Task.Run(
            async () =>
            {
                while (!done.IsCancellationRequested)
                {
                    most = Math.Max(most, GC.GetTotalMemory(forceFullCollection: false) - before);
                    await Task.Delay(5, CancellationToken.None);
                }
            },
            Stop
        );
        try
        {
            await work();
        }
        finally
        {
            await done.CancelAsync();
            await watch;
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{most / 1024.0 / 1024.0:F1} MiB at the most");
        Assert.InRange(most, 0, 64 * 1024 * 1024);
    }
}
