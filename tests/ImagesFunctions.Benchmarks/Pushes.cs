using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using Azure.Storage.Blobs.Specialized;
using Azure.Storage.Sas;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Benchmarks;

/// <summary>Pushes and pulls of a blob of 256 MiB, and raw storage calls that bring the same bytes to the same place.</summary>
internal sealed class Pushes : IDisposable
{
    private const string Repository = "alice/bench";
    private const int MiB = 1024 * 1024;

    // Seconds each, so that there can be some more.
    private const int Rounds = 5;
    private static readonly int[] s_blockSizes = [4 * MiB, 16 * MiB, 64 * MiB];

    private readonly Bench _bench;
    private readonly Store _store;
    private readonly Client _ours;
    private readonly byte[] _bytes;
    private long _pushes;

    private Pushes(Bench bench, Store store, Client ours)
    {
        (_bench, _store, _ours) = (bench, store, ours);
        _bytes = new byte[(bench.Smoke ? 8 : 256) * MiB];
        Random.Shared.NextBytes(_bytes);
    }

    private CancellationToken Stop => _bench.Stop;

    private string Size => $"{_bytes.Length / MiB} MiB";

    public static async Task RunAsync(Bench bench)
    {
        await using var store = await Store.StartAsync(bench);
        await using var server = await Server.OursAsync(bench, store, ("SweepInterval", "0m"));
        using var ours = new Client(server.Address, await store.TokenAsync("alice"));
        using var pushes = new Pushes(bench, store, ours);
        await pushes.KnownLengthAsync();
        await pushes.ChunkedAsync();
        await pushes.PullAsync();
        await pushes.BootAsync();
        await using var redirecting = await Server.OursAsync(bench, store, ("RedirectPulls", "true"));
        using var other = new Client(redirecting.Address, ours.Token);
        await pushes.RedirectedAsync(other);
    }

    public void Dispose() => _ours.Dispose();

    private async Task KnownLengthAsync() =>
        Add(
            $"push {Size} in one PUT",
            await _bench.AlternateAsync(
                () => PushedAsync(digest => _ours.PushAsync(Repository, digest, new ByteArrayContent(_bytes), Stop)),
                () => RawAsync(blob => SendAsync(blob, 0, _bytes.Length)),
                Rounds
            ),
            "raw Put Blob",
            Target.AtLeast(0.8),
            "POST and PUT with a Content-Length; and one Put Blob of as many bytes by plain HTTP, which is faster than through the SDK, with SHA-256 over them at the same time."
        );

    private async Task ChunkedAsync()
    {
        var speeds = new List<(double Speed, int Size)>();
        foreach (var size in s_blockSizes)
        {
            speeds.Add((await RawAsync(blob => BlocksAsync(blob, size)), size));
        }

        var best = speeds.Max().Size;
        Add(
            $"push {Size}, chunked",
            await _bench.AlternateAsync(() => PushedAsync(PatchAsync), () => RawAsync(blob => BlocksAsync(blob, best))),
            $"raw blocks of {best / MiB} MiB and a copy",
            Target.AtLeast(0.8),
            $"POST, PATCH without a length, and PUT; and as many bytes by plain HTTP as blocks of the fastest of {s_blockSizes.Length} sizes, two at once, SHA-256 at the same time, then a copy inside storage."
        );
    }

    private async Task PullAsync()
    {
        var digest = await FreshAsync();
        await _ours.PushAsync(Repository, digest, new ByteArrayContent(_bytes), Stop);
        Add(
            $"pull {Size}",
            await _bench.AlternateAsync(
                () => SpeedAsync(_ours, $"v2/{Repository}/blobs/{digest}"),
                () => DownloadAsync(digest),
                Rounds
            ),
            "raw download",
            Target.AtLeast(0.9),
            "GET of the blob, its bytes dropped; and a download through the SDK, its bytes dropped."
        );
    }

    private async Task BootAsync()
    {
        var digest = Digest.Sha256(_bytes);
        await RegistryImages.PushAsync(_ours, Repository, "v1", (digest, _bytes.Length), Stop);
        using var found = await _ours.SendAsync(HttpMethod.Get, $"boot/{Repository}/v1", HttpStatusCode.Found, Stop);
        var tar = found.Headers.Location!.OriginalString.TrimStart('/');
        Add(
            $"boot tar of {Size}",
            await _bench.AlternateAsync(
                () => SpeedAsync(_ours, tar),
                () => SpeedAsync(_ours, $"v2/{Repository}/blobs/{digest}"),
                Rounds
            ),
            "our pull",
            Target.AtLeast(0.8),
            "GET of the tar of an image whose only layer is the blob of the line before, after the redirect from its tag; and GET of that blob, both bytes dropped."
        );
    }

    private async Task RedirectedAsync(Client redirecting)
    {
        var digest = Digest.Sha256(_bytes);
        Add(
            $"pull {Size}, redirected",
            await _bench.AlternateAsync(
                async () =>
                {
                    var started = Stopwatch.GetTimestamp();
                    using var answer = await redirecting.SendAsync(
                        HttpMethod.Get,
                        $"v2/{Repository}/blobs/{digest}",
                        HttpStatusCode.TemporaryRedirect,
                        Stop
                    );
                    var to = answer.Headers.Location!;
                    using var storage = new Client(new Uri(to.GetLeftPart(UriPartial.Authority)));
                    await DrainedAsync(storage, to.PathAndQuery);
                    return Speed(started);
                },
                () => DownloadAsync(digest),
                Rounds
            ),
            "raw download",
            Target.AtLeast(0.9),
            "The same with `RedirectPulls`: GET, and GET of the address in storage that it is sent to."
        );
    }

    private void Add(string work, (double Ours, double Peer) medians, string peer, Target target, string how) =>
        _bench.Report.Add(Row.Of(work, medians, "MiB/s", peer, target, how));

    // Bytes that were never pushed before. Their digest is the client's work, and takes no part in it.
    private Task<Digest> FreshAsync()
    {
        BitConverter.TryWriteBytes(_bytes, ++_pushes);
        return Task.FromResult(Digest.Sha256(_bytes));
    }

    private async Task<double> PushedAsync(Func<Digest, Task> pushAsync)
    {
        var digest = await FreshAsync();
        var started = Stopwatch.GetTimestamp();
        await pushAsync(digest);
        var speed = Speed(started);
        var path = $"v2/{Repository}/blobs/{digest}";
        using (var there = await _ours.SendAsync(HttpMethod.Head, path, HttpStatusCode.OK, Stop))
        {
            if (there.Content.Headers.ContentLength != _bytes.Length)
            {
                throw new InvalidOperationException($"{path} has another length");
            }
        }

        using var _ = await _ours.SendAsync(HttpMethod.Delete, path, HttpStatusCode.Accepted, Stop);
        return speed;
    }

    private async Task PatchAsync(Digest digest)
    {
        using var content = new StreamContent(new WithoutLength(_bytes), 128 * 1024);
        await _ours.PatchAsync(Repository, digest, content, Stop);
    }

    private async Task<double> RawAsync(Func<BlockBlobClient, Task> writeAsync)
    {
        await FreshAsync();
        var blob = _store.Account.Images.GetBlockBlobClient($"raw/{_pushes}");
        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(writeAsync(blob), Task.Run(() => SHA256.HashData(_bytes), Stop));
        var speed = Speed(started);
        await blob.DeleteAsync(cancellationToken: Stop);
        return speed;
    }

    // By plain HTTP: the SDK sends 80 KiB at once, which on a busy machine is much slower.
    private async Task SendAsync(BlockBlobClient blob, int from, int count, string query = "")
    {
        var signed = blob.GenerateSasUri(
            BlobSasPermissions.Write | BlobSasPermissions.Create,
            DateTimeOffset.UtcNow.AddHours(1)
        );
        using var storage = new Client(new Uri(signed.GetLeftPart(UriPartial.Authority)));
        using var content = new ByteArrayContent(_bytes, from, count);
        content.Headers.Add("x-ms-blob-type", "BlockBlob");
        using var _ = await storage.SendAsync(
            HttpMethod.Put,
            signed.PathAndQuery + query,
            HttpStatusCode.Created,
            Stop,
            content
        );
    }

    private async Task BlocksAsync(BlockBlobClient blob, int size)
    {
        var staged = _store.Account.Uploads.GetBlockBlobClient(blob.Name);
        string[] ids =
        [
            .. Enumerable
                .Range(0, (_bytes.Length + size - 1) / size)
                .Select(i => Convert.ToBase64String(BitConverter.GetBytes(i))),
        ];
        await Parallel.ForEachAsync(
            ids.Index(),
            new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = Stop },
            async (block, _) =>
            {
                var from = block.Index * size;
                var query = $"&comp=block&blockid={Uri.EscapeDataString(block.Item)}";
                await SendAsync(staged, from, Math.Min(size, _bytes.Length - from), query);
            }
        );
        await staged.CommitBlockListAsync(ids, cancellationToken: Stop);
        var source = staged.GenerateSasUri(BlobSasPermissions.Read, DateTimeOffset.UtcNow.AddHours(1));
        await blob.SyncCopyFromUriAsync(source, cancellationToken: Stop);
        await staged.DeleteAsync(cancellationToken: Stop);
    }

    private async Task<double> DownloadAsync(Digest digest)
    {
        var started = Stopwatch.GetTimestamp();
        var blob = _store.Account.Images.GetBlobClient($"{Repository}/blobs/sha256/{digest.Encoded}");
        var download = await blob.DownloadStreamingAsync(cancellationToken: Stop);
        await using var content = download.Value.Content;
        await content.CopyToAsync(Stream.Null, 256 * 1024, Stop);
        return Speed(started);
    }

    private async Task<double> SpeedAsync(Client client, string path)
    {
        var started = Stopwatch.GetTimestamp();
        await DrainedAsync(client, path);
        return Speed(started);
    }

    private async Task DrainedAsync(Client client, string path)
    {
        var (_, _, bytes) = await client.TimeAsync(path, Stop);
        // A boot tar is some kilobytes longer.
        if (bytes < _bytes.Length)
        {
            throw new InvalidOperationException($"{path} has {bytes} bytes");
        }
    }

    private double Speed(long started) => _bytes.Length / MiB / Stopwatch.GetElapsedTime(started).TotalSeconds;
}
