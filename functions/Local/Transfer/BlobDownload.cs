using System.Net;
using System.Net.Http.Headers;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary>
/// The bytes of a blob of a registry as they come. A connection that is cut is made anew, from the byte where it was cut
/// (OCI distribution spec, "Pulling blobs": Range).
/// </summary>
/// <param name="client">The registry.</param>
/// <param name="image">An image of the repository.</param>
/// <param name="blob">The blob.</param>
/// <param name="from">The first byte.</param>
internal sealed class BlobDownload(RemoteRegistry client, RegistryAddress image, Descriptor blob, long from) : Stream
{
    private static readonly TimeSpan s_silence = TimeSpan.FromMinutes(1);

    private readonly PatientWait _wait = new(image.Registry, client.Note);
    private HttpResponseMessage? _response;
    private Stream? _body;
    private long _at = from;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => blob.Size;

    public override long Position
    {
        get => _at;
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (_at < blob.Size && buffer.Length > 0)
        {
            using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            deadline.CancelAfter(s_silence);
            var part = buffer[..(int)Math.Min(buffer.Length, blob.Size - _at)];
            try
            {
                _body ??= await OpenAsync(cancellationToken);
                if (await _body.ReadAsync(part, deadline.Token) is var read and > 0)
                {
                    _at += read;
                    _wait.Reset();
                    return read;
                }
            }
            catch (Exception error)
                when (PatientWait.IsCut(error)
                    || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested)
                )
            {
                // As an early end.
            }

            Close(ref _body, ref _response);
            await _wait.OnceAsync("has cut the connection", after: null, cancellationToken);
        }

        return 0;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush() { }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Close(ref _body, ref _response);
        }

        base.Dispose(disposing);
    }

    private static void Close(ref Stream? body, ref HttpResponseMessage? response)
    {
        body?.Dispose();
        response?.Dispose();
        (body, response) = (null, null);
    }

    private async Task<Stream> OpenAsync(CancellationToken cancellationToken)
    {
        _response = await client.SendAsync(
            HttpMethod.Get,
            image.Blob(blob.Digest),
            request => request.Headers.Range = _at > 0 ? new RangeHeaderValue(_at, null) : null,
            cancellationToken
        );
        await client.DemandAsync(_response, $"the blob {blob.Digest}", cancellationToken);
        var body = await _response.Content.ReadAsStreamAsync(cancellationToken);
        if (_at > 0 && _response.StatusCode != HttpStatusCode.PartialContent)
        {
            // It knows no ranges: what is there already is read and left.
            await SkipAsync(body, _at, cancellationToken);
        }

        return body;
    }

    private static async Task SkipAsync(Stream body, long count, CancellationToken cancellationToken)
    {
        var buffer = new byte[64 * 1024];
        while (count > 0)
        {
            var read = await body.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, count)), cancellationToken);
            count -= read > 0 ? read : throw new IOException("the blob is shorter than it was");
        }
    }
}
