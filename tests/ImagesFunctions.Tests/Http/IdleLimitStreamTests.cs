using System.IO.Pipelines;
using ImagesFunctions.Http;
using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace ImagesFunctions.Tests.Http;

public sealed class IdleLimitStreamTests : IDisposable
{
    private static readonly TimeSpan AlmostTheLimit = IdleLimitStream.Limit - TimeSpan.FromSeconds(1);

    private readonly FakeTimeProvider _time = new();
    private readonly DefaultHttpContext _context = new();
    private readonly RequestDeadline _deadline;
    private readonly Pipe _source = new();
    private readonly byte[] _buffer = new byte[8];

    public IdleLimitStreamTests() => _deadline = new RequestDeadline(_context, new StorageTimes { Clock = _time });

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_body_may_pause_for_almost_a_minute_as_often_as_it_likes()
    {
        await using var body = Body();
        for (var i = 0; i < 5; i++)
        {
            var read = body.ReadAsync(_buffer, Stop).AsTask();
            _time.Advance(AlmostTheLimit);
            Assert.False(read.IsCompleted);
            await _source.Writer.WriteAsync(new byte[] { 1 }, Stop);
            Assert.Equal(1, await read.WaitAsync(Stop));
            // What is done with the byte may take long.
            _time.Advance(10 * IdleLimitStream.Limit);
        }

        await _source.Writer.CompleteAsync();
        Assert.Equal(0, await body.ReadAsync(_buffer, Stop));
    }

    [Fact]
    public async Task A_minute_without_a_byte_is_408()
    {
        await using var body = Body();
        var read = body.ReadAsync(_buffer, Stop).AsTask();

        _time.Advance(IdleLimitStream.Limit);

        var error = await Assert.ThrowsAsync<BadHttpRequestException>(() => read.WaitAsync(Stop));
        Assert.Equal(StatusCodes.Status408RequestTimeout, error.StatusCode);
    }

    [Fact]
    public async Task Who_cancels_is_not_told_of_a_timeout()
    {
        using var cancelled = new CancellationTokenSource();
        await using var body = Body();
        var read = body.ReadAsync(_buffer, cancelled.Token).AsTask();

        await cancelled.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => read.WaitAsync(Stop));
    }

    [Fact]
    public async Task The_deadline_of_the_request_runs_only_while_its_body_is_not_waited_for()
    {
        var request = new StorageTimes().Request;
        Assert.True(request < AlmostTheLimit);
        await using var body = Body();
        for (var i = 0; i < 3; i++)
        {
            var read = body.ReadAsync(_buffer, _context.RequestAborted).AsTask();
            _time.Advance(AlmostTheLimit);
            await _source.Writer.WriteAsync(new byte[] { 1 }, Stop);
            Assert.Equal(1, await read.WaitAsync(Stop));
        }

        _time.Advance(request - TimeSpan.FromSeconds(1));
        Assert.False(_context.RequestAborted.IsCancellationRequested);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(_context.RequestAborted.IsCancellationRequested);
    }

    public void Dispose() => _deadline.Dispose();

    private IdleLimitStream Body() => new(_source.Reader.AsStream(), _deadline, _time);
}
