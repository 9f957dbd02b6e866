using System.Diagnostics;
using System.Net;

namespace ImagesFunctions.Storage;

/// <summary>
/// Gives every exchange with storage its <see cref="ProgressDeadline"/>, whatever is sent and by whichever client. It runs
/// while storage takes bytes that we have for it, while we wait for its answer, and while we wait for bytes of the answer. It
/// stands still while we wait for bytes of somebody else to send on, and while nobody reads what storage sends. An answer without
/// bytes of blobs is short, and has to be whole soon. What is no answer of storage is none (<see cref="StorageAnswers"/>). Each
/// answer sets the clock.
/// </summary>
/// <param name="times">How long storage is waited for.</param>
/// <param name="clock">Is set by the answers.</param>
/// <param name="isTable">Whether it is the table service that is asked; else it is the blob service.</param>
/// <param name="network">Sends the requests.</param>
internal sealed class ProgressHandler(StorageTimes times, StorageClock clock, bool isTable, HttpMessageHandler network)
    : DelegatingHandler(network)
{
    private const string CopySource = "x-ms-copy-source";

    // Errors have a few hundred bytes.
    private const int MaxError = 1024 * 1024;

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        var patience = request.Headers.Contains(CopySource) ? times.Copy : times.Progress;
        var deadline = new ProgressDeadline(patience, times.Clock, cancellationToken);
        try
        {
            if (request.Content is { } content)
            {
                request.Content = new Sent(content, deadline);
            }

            var sent = Stopwatch.GetTimestamp();
            RequestCount.Add();
            var answer = await base.SendAsync(request, deadline.Token);
            StorageAnswers.Demand(request, answer);
            StorageAnswers.ShortenPauses(answer);
            if (StorageAnswers.IsSigned(answer))
            {
                clock.Learn(answer.Headers.Date, Stopwatch.GetElapsedTime(sent));
            }

            return await ReceiveAsync(request, answer, deadline);
        }
        catch (Exception error)
        {
            using (deadline)
            {
                if (deadline.IsCauseOf(error))
                {
                    throw deadline.Stalled(error);
                }
            }

            throw;
        }
    }

    // The answer, whose bytes have their deadline.
    private async Task<HttpResponseMessage> ReceiveAsync(
        HttpRequestMessage request,
        HttpResponseMessage answer,
        ProgressDeadline deadline
    )
    {
        if (request.Method == HttpMethod.Head || answer.Content.Headers.ContentLength == 0)
        {
            deadline.Dispose();
            return answer;
        }

        deadline.Stop();
        var isError = !answer.IsSuccessStatusCode;
        if (isError || isTable || !StorageAnswers.IsOfBytes(request))
        {
            deadline.Limit(times.Answer);
        }

        answer.Content = new Received(answer.Content, deadline);
        if (isError)
        {
            // The SDK reads errors without waiting, which only works for what is here already.
            await answer.Content.LoadIntoBufferAsync(MaxError, deadline.Token);
            deadline.Dispose();
        }

        return answer;
    }

    private static void CopyHeaders(HttpContent from, HttpContent to)
    {
        foreach (var (name, values) in from.Headers.NonValidated)
        {
            to.Headers.TryAddWithoutValidation(name, values);
        }
    }

    private sealed class Sent : HttpContent
    {
        private readonly HttpContent _content;
        private readonly ProgressDeadline _deadline;

        public Sent(HttpContent content, ProgressDeadline deadline)
        {
            (_content, _deadline) = (content, deadline);
            CopyHeaders(content, this);
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
            SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(
            Stream stream,
            TransportContext? context,
            CancellationToken cancellationToken
        )
        {
            // Where the bytes come from somebody else, storage can do nothing before they come.
            _deadline.Stop();
            await _content.CopyToAsync(new SendingStream(stream, _deadline), context, cancellationToken);
            _deadline.Start();
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _content.Headers.ContentLength ?? 0;
            return _content.Headers.ContentLength is not null;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _content.Dispose();
            }

            base.Dispose(disposing);
        }
    }

    private sealed class Received : HttpContent
    {
        private readonly HttpContent _content;
        private readonly ProgressDeadline _deadline;

        public Received(HttpContent content, ProgressDeadline deadline)
        {
            (_content, _deadline) = (content, deadline);
            CopyHeaders(content, this);
        }

        protected override async Task<Stream> CreateContentReadStreamAsync() =>
            new ReceivingStream(await _content.ReadAsStreamAsync(_deadline.Token), _deadline);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await using var from = await CreateContentReadStreamAsync();
            await from.CopyToAsync(stream);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = _content.Headers.ContentLength ?? 0;
            return _content.Headers.ContentLength is not null;
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
            {
                _content.Dispose();
                _deadline.Dispose();
            }

            base.Dispose(disposing);
        }
    }
}
