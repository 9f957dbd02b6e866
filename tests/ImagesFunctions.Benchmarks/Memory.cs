using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Benchmarks;

/// <summary>How much memory our process takes while it is pushed to and asked for long lists. Its bytes are kept on the disk.</summary>
internal static class Memory
{
    private const int MiB = 1024 * 1024;
    private const int AtOnce = 4;

    public static async Task RunAsync(Bench bench)
    {
        var many = await bench.ManyAsync();
        var length = (bench.Smoke ? 8L : 2048) * MiB;
        // Rows in memory, bytes on the disk: memory could not hold them.
        await using var disk = await Store.OnDiskAsync(bench, many);
        await using var server = await Server.OursAsync(bench, disk);
        using var ours = new Client(server.Address, await many.TokenAsync("alice"));
        // Before any list, because the list that is kept counts.
        await Task.Delay(TimeSpan.FromSeconds(bench.Smoke ? 0.1 : 3), bench.Stop);
        var idle = Resident(server.Id);
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(bench.Stop);
        var peak = PeakAsync(server.Id, idle, ended.Token);
        var lists = ListAsync(ours, ended.Token);
        try
        {
            await Task.WhenAll(Enumerable.Range(0, AtOnce).Select(number => PushAsync(bench, ours, length, number)));
        }
        finally
        {
            await ended.CancelAsync();
        }

        var most = await peak;
        bench.Report.Add(
            new Row(
                $"memory: {AtOnce} pushes of {length / MiB:#,0} MiB at once, a list of {bench.Many:#,0} images a second",
                Row.Amount(most - idle, "MiB"),
                "300 MiB",
                (most - idle) / 300,
                Target.AtMost(1),
                $"Resident memory of our process, the most that was seen in any 100 ms, above what it had ({idle:0} MiB) after its start, before any list; two pushes with a length and two without, and {await lists} lists."
            )
        );
    }

    // The most that was seen until it is cancelled.
    private static async Task<double> PeakAsync(int process, double idle, CancellationToken ended)
    {
        var most = idle;
        try
        {
            while (true)
            {
                most = Math.Max(most, Resident(process));
                await Task.Delay(100, ended);
            }
        }
        catch (OperationCanceledException)
        {
            return most;
        }
    }

    // Asks for the list once a second until it is cancelled, and says how often.
    private static async Task<int> ListAsync(Client ours, CancellationToken ended)
    {
        var lists = 0;
        try
        {
            using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1));
            do
            {
                await ours.TimeAsync(Lists.Path, ended);
                lists++;
            } while (await timer.WaitForNextTickAsync(ended));
        }
        catch (OperationCanceledException)
        {
            // The pushes are done.
        }

        return lists;
    }

    private static async Task PushAsync(Bench bench, Client ours, long length, int number)
    {
        await using var hashed = new Noise(length, number);
        var digest = Digest.FromHash("sha256", await SHA256.HashDataAsync(hashed, bench.Stop));
        await using var noise = new Noise(length, number);
        using var content = new StreamContent(noise, 256 * 1024);
        if (number % 2 == 0)
        {
            content.Headers.ContentLength = length;
            await ours.PushAsync("alice/bench", digest, content, bench.Stop);
        }
        else
        {
            await ours.PatchAsync("alice/bench", digest, content, bench.Stop);
        }
    }

    /// <summary>The resident memory of a process in MiB.</summary>
    private static double Resident(int process) =>
        double.Parse(
            File.ReadLines($"/proc/{process}/status")
                .First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal))
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture
        ) / 1024;

    // Random bytes, and nobody else's, that nobody holds. They cannot be sought in, so their length has to be said.
    private sealed class Noise(long length, int seed) : Stream
    {
        // Other bytes than in any run before.
        private static readonly int s_run = Random.Shared.Next(1_000_000);

        private readonly byte[] _block = Block(seed);
        private long _at;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var from = (int)(_at % _block.Length);
            var count = (int)Math.Min(Math.Min(buffer.Length, _block.Length - from), length - _at);
            _block.AsSpan(from, count).CopyTo(buffer);
            _at += count;
            return count;
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ValueTask.FromResult(Read(buffer.Span));

        public override void Flush() { }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        private static byte[] Block(int seed)
        {
            var block = new byte[MiB + 1];
            new Random(s_run + seed).NextBytes(block);
            return block;
        }
    }
}
