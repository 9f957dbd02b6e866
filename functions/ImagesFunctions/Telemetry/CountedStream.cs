using System.Diagnostics.Metrics;
using ImagesFunctions.Streams;

namespace ImagesFunctions.Telemetry;

/// <summary>The body of a request; counts the bytes that are read.</summary>
internal sealed class CountedStream(Stream body, Counter<long> counter) : ForwardStream
{
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        var read = await body.ReadAsync(buffer, cancellationToken);
        counter.Add(read);
        return read;
    }
}
