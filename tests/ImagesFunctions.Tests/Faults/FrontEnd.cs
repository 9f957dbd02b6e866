using System.Net;
using System.Text;

namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// Stands before a storage account as a proxy, a gateway or a wrong entry in the DNS does: it answers in storage's place with
/// pages of its own, or spoils storage's answers on their way.
/// </summary>
internal sealed class FrontEnd(string connection)
    : DelegatingHandler(new SocketsHttpHandler { AllowAutoRedirect = false })
{
    private readonly int _tablePort = AzureLimits.TablePortOf(connection);

    /// <summary>What it answers itself; null: what storage says.</summary>
    public Func<HttpRequestMessage, HttpResponseMessage?> Answer { get; set; } = _ => null;

    /// <summary>Changes an answer of storage.</summary>
    public Func<HttpRequestMessage, HttpResponseMessage, Task> Spoil { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Whether a request is about tables.</summary>
    public bool IsTable(HttpRequestMessage request) => request.RequestUri!.Port == _tablePort;

    /// <summary>Whether a request is about blobs or containers.</summary>
    public bool IsBlob(HttpRequestMessage request) => !IsTable(request);

    /// <summary>An answer of its own.</summary>
    public static HttpResponseMessage Page(int status, string body, string? type = null)
    {
        var page = new HttpResponseMessage((HttpStatusCode)status)
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)),
        };
        page.Headers.Date = DateTimeOffset.UtcNow.AddDays(-3);
        if (type is not null)
        {
            page.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        }

        return page;
    }

    /// <summary>Replaces the bytes of an answer, and leaves its headers as they are but for its length.</summary>
    public static async Task ReplaceAsync(HttpResponseMessage answer, Func<byte[], HttpContent> change)
    {
        var before = answer.Content;
        var after = change(await before.ReadAsByteArrayAsync());
        foreach (var (name, values) in before.Headers)
        {
            if (name is not "Content-Length")
            {
                after.Headers.TryAddWithoutValidation(name, values);
            }
        }

        answer.Content = after;
    }

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        if (Answer(request) is { } page)
        {
            if (request.Content is not null)
            {
                await request.Content.CopyToAsync(Stream.Null, cancellationToken);
            }

            page.RequestMessage = request;
            return page;
        }

        var answer = await base.SendAsync(request, cancellationToken);
        await Spoil(request, answer);
        return answer;
    }
}

/// <summary>Bytes of which nobody says how many they are.</summary>
internal sealed class WithoutLength(byte[] bytes) : HttpContent
{
    protected override Task<Stream> CreateContentReadStreamAsync() =>
        Task.FromResult<Stream>(new MemoryStream(bytes, writable: false));

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        stream.WriteAsync(bytes).AsTask();

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

/// <summary>Bytes that come one by one.</summary>
internal sealed class Dripping(byte[] bytes, TimeSpan pause) : HttpContent
{
    protected override Task<Stream> CreateContentReadStreamAsync() => Task.FromResult<Stream>(new Drops(bytes, pause));

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        await using var drops = new Drops(bytes, pause);
        await drops.CopyToAsync(stream);
    }

    protected override bool TryComputeLength(out long length)
    {
        length = bytes.Length;
        return true;
    }

    private sealed class Drops(byte[] bytes, TimeSpan pause) : MemoryStream(bytes, writable: false)
    {
        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer,
            CancellationToken cancellationToken = default
        )
        {
            await Task.Delay(pause, cancellationToken);
            return await base.ReadAsync(buffer[..Math.Min(1, buffer.Length)], cancellationToken);
        }

        public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
        {
            var one = new byte[1];
            while (await ReadAsync(one, cancellationToken) > 0)
            {
                await destination.WriteAsync(one, cancellationToken);
            }
        }
    }
}
