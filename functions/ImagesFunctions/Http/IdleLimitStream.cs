using ImagesFunctions.Streams;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Http;

/// <summary>
/// The body of a request, which may come as slowly as it likes, but not stand still: a source that pauses is no attack, and one
/// that has gone silent must not hold a request for ever.
/// </summary>
/// <param name="body">The body as the server reads it.</param>
/// <param name="deadline">The request's deadline, which does not run meanwhile.</param>
/// <param name="time">What <see cref="Limit"/> is measured by.</param>
internal sealed class IdleLimitStream(Stream body, RequestDeadline deadline, TimeProvider time) : ForwardStream
{
    /// <summary>The longest time without a byte while one is waited for.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(1);

    private readonly CancellationTokenSource _idle = new(Timeout.InfiniteTimeSpan, time);

    /// <exception cref="BadHttpRequestException">408: no byte came for too long.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        deadline.Stop();
        // Not a token a read: a layer has very many of them.
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
            // What is done with the bytes takes the time that it takes.
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
