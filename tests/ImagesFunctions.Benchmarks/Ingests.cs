using System.Diagnostics;
using System.Security.Cryptography;
using Azure.Storage;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Ingest;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Benchmarks;

/// <summary>What the blob trigger does with one large layer. The event is delivered directly: how soon it comes is not ours.</summary>
internal static class Ingests
{
    private const int MiB = 1024 * 1024;
    private const int BufferSize = 4 * MiB;

    public static async Task RunAsync(Bench bench)
    {
        await using var store = await Store.StartAsync(bench);
        var length = (bench.Smoke ? 8 : 1024) * MiB;
        var bytes = new byte[length];
        Random.Shared.NextBytes(bytes);
        var digest = Digest.Sha256(bytes);
        _ = Repository.TryParse("alice/bench", out var repository);
        var path = new BlobPath(repository!, digest).ToString();
        using (var content = new MemoryStream(bytes))
        {
            var options = new BlobUploadOptions
            {
                TransferOptions = new StorageTransferOptions { InitialTransferSize = length },
            };
            await store.Account.Images.GetBlockBlobClient(path).UploadAsync(content, options, bench.Stop);
        }

        var ingest = store.Get<BlobIngest>();
        var rowStore = store.Get<RowStore>();
        var key = Keys.Blob("bench", digest);
        bench.Report.Add(
            Row.Of(
                $"ingest of a dropped layer of {length / MiB:#,0} MiB",
                await bench.AlternateAsync(
                    async () =>
                    {
                        var started = Stopwatch.GetTimestamp();
                        await ingest.LandedAsync(path, bench.Stop);
                        var speed = Speed(length, started);
                        if (await rowStore.GetAsync("alice", key, bench.Stop) is null)
                        {
                            throw new InvalidOperationException($"{path} was not taken in");
                        }

                        // As if nobody had seen it.
                        await store.Account.ImageTable.DeleteEntityAsync("alice", key, cancellationToken: bench.Stop);
                        return speed;
                    },
                    () => RawAsync(store, path, digest, length, bench.Stop)
                ),
                "MiB/s",
                "raw download with SHA-256",
                Target.AtLeast(0.9),
                "The library's `LandedAsync`, which the trigger calls, for a blob that it has not seen; and a download through the SDK, SHA-256 over one buffer while the next one is read."
            )
        );
    }

    private static async Task<double> RawAsync(
        Store store,
        string path,
        Digest digest,
        long length,
        CancellationToken stop
    )
    {
        var started = Stopwatch.GetTimestamp();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var download = await store.Account.Images.GetBlobClient(path).DownloadStreamingAsync(cancellationToken: stop);
        await using var content = download.Value.Content;
        var (buffer, other) = (new byte[BufferSize], new byte[BufferSize]);
        var hashing = Task.CompletedTask;
        int read;
        while ((read = await content.ReadAtLeastAsync(buffer, BufferSize, throwOnEndOfStream: false, stop)) > 0)
        {
            await hashing;
            var (full, count) = (buffer, read);
            hashing = Task.Run(() => hash.AppendData(full, 0, count), stop);
            (buffer, other) = (other, buffer);
        }

        await hashing;
        var speed = Speed(length, started);
        return Digest.FromHash("sha256", hash.GetHashAndReset()) == digest
            ? speed
            : throw new InvalidOperationException("storage sends other bytes");
    }

    private static double Speed(long length, long started) =>
        length / (double)MiB / Stopwatch.GetElapsedTime(started).TotalSeconds;
}
