using System.Security.Cryptography;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Faults;

/// <summary>The garbage collector counts for the whole process: nothing else may run beside these tests.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

/// <summary>A layer is never held in memory, however long it is.</summary>
[Collection(nameof(Alone))]
public sealed class LargeLayer
{
    private const int Block = 64 * 1024 * 1024;

    [LongFact]
    public Task Of_2_GiB_is_ingested_with_less_than_64_MiB_of_managed_growth() => IngestAsync(blocks: 32);

    [Fact]
    public Task Of_256_MiB_is_ingested_with_less_than_64_MiB_of_managed_growth() => IngestAsync(blocks: 4);

    private static async Task IngestAsync(int blocks)
    {
        var stop = TestContext.Current.CancellationToken;
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var bytes = new byte[Block];
        new Random(1).NextBytes(bytes);
        using var hash = SHA256.Create();
        var ids = new List<string>();
        var blob = node.Storage.Images.GetBlockBlobClient("alice/web/staged");
        for (var i = 0; i < blocks; i++)
        {
            hash.TransformBlock(bytes, 0, bytes.Length, null, 0);
            ids.Add(Convert.ToBase64String(BitConverter.GetBytes(i)));
            await blob.StageBlockAsync(ids[^1], new MemoryStream(bytes), cancellationToken: stop);
        }

        hash.TransformFinalBlock([], 0, 0);
        var digest = $"sha256:{Convert.ToHexStringLower(hash.Hash!)}";
        await blob.CommitBlockListAsync(ids, cancellationToken: stop);
        var path = $"alice/web/{Layout.PathOf(digest)}";
        var copy = await node
            .Storage.Images.GetBlobClient(path)
            .StartCopyFromUriAsync(blob.Uri, cancellationToken: stop);
        await copy.WaitForCompletionAsync(stop);
        bytes = [];

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
            stop
        );
        await node.Ingest.LandedAsync(path, stop);
        await done.CancelAsync();
        await watch;

        var row = await node.RowStore.BlobAsync(new BlobPath(Node.Repository("alice/web"), Node.Digest(digest)), stop);
        Assert.Equal((long)blocks * Block, row?.Size);
        TestContext.Current.TestOutputHelper?.WriteLine($"{most / 1024.0 / 1024.0:F1} MiB at the most");
        Assert.InRange(most, 0, 64 * 1024 * 1024);
    }
}
