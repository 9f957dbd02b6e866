using ImagesFunctions.Streams;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Http;

/// <summary>
/// The body of a request. It may be slow and may pause, but a read without a byte for longer than <see cref="Limit"/> fails, so
/// that a silent client does not hold a request forever.
/// </summary>
/// <param name="body">The body of the server.</param>
/// <param name="deadline">The request's deadline, which is paused during each read.</param>
/// <param name="time">Measures <see cref="Limit"/>.</param>
internal sealed class IdleLimitStream(Stream body, RequestDeadline deadline, TimeProvider time) : ForwardStream
{
    /// <summary>The longest time that a read waits for a byte.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _idle = new(Timeout.InfiniteTimeSpan, time);

    /// <exception cref="BadHttpRequestException">408: no byte came for too long.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        deadline.Stop();
        // One source for all reads: a layer takes very many of them.
        _idle.CancelAfter(Limit);
        await using var stop = cancellationToken.UnsafeRegister(
            static source => ((CancellationTokenSource)source!).Cancel(),
            _idle
        );
        try
        {
            return await body.ReadAsync(buffer, _idle.Token);
        }
        catch (OperationCanceledException error)
            when (_idle.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new BadHttpRequestException(
                $"No byte of the body came for {Limit.TotalSeconds:0} seconds.",
                StatusCodes.Status408RequestTimeout,
                error
            );
        }
        finally
        {
            // The limit does not run while the caller works with the bytes.
            _idle.CancelAfter(Timeout.InfiniteTimeSpan);
            deadline.Start();
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _idle.Dispose();
        }

        base.Dispose(disposing);
    }
}
