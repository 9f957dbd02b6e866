using System.Diagnostics.Metrics;
using ImagesFunctions.Streams;

namespace ImagesFunctions.Telemetry;

/// <summary>The body of a request, which counts what is read of it.</summary>
internal sealed class CountedStream(Stream body, Counter<long> counter) : ForwardStream
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await body.ReadAsync(buffer, cancellationToken);
        counter.Add(read);
        return read;
    }
}
