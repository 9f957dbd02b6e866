using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>An answer as it came over the wire; only a chunked body is put together.</summary>
public sealed record Reply(int Status, IReadOnlyList<KeyValuePair<string, string>> Headers, byte[] Body)
{
    /// <summary>The body as text, decoded as its Content-Encoding says.</summary>
    public string Text
    {
        get
        {
            using Stream body = this["Content-Encoding"] switch
            {
                null => new MemoryStream(Body),
                "gzip" => new GZipStream(new MemoryStream(Body), CompressionMode.Decompress),
                "br" => new BrotliStream(new MemoryStream(Body), CompressionMode.Decompress),
                var other => throw new InvalidDataException($"Nobody asked for {other}."),
            };
            using var reader = new StreamReader(body, new UTF8Encoding(false, throwOnInvalidBytes: true));
            return reader.ReadToEnd();
        }
    }

    public JsonObject Json => Answer.Json;

    public Answer Answer => new((HttpStatusCode)Status, this["Content-Type"]?.Split(';')[0], Text);

    public IReadOnlyList<JsonObject> Images => Answer.Images;

    public IReadOnlyList<string> Digests => [.. Answer.Digests];

    /// <summary>A header's value, or null. One that stands there twice fails.</summary>
    public string? this[string name]
    {
        get
        {
            var values = Headers.Where(h => h.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).ToList();
            Assert.True(values.Count < 2, $"{name} stands there {values.Count} times.");
            return values.Count == 0 ? null : values[0].Value;
        }
    }
}

/// <summary>
/// HTTP/1.1 with every byte as the test writes it: a client library would mend paths, refuse headers and put in its own.
/// One connection a request.
/// </summary>
public static class Wire
{
    /// <summary>Sends a request with a token, or without one where it is null. A body has a Content-Length unless a header says that it is chunked.</summary>
    public static Task<Reply> SendAsync(
        this RunningHost host,
        string method,
        string target,
        string? token,
        string? body = null,
        params (string Name, string Value)[] headers
    )
    {
        var head = new StringBuilder($"{method} {target} HTTP/1.1\r\n");
        var all = headers.ToList();
        void Default(string name, string value)
        {
            if (!all.Exists(h => h.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
            {
                all.Add((name, value));
            }
        }

        Default("Host", host.Http.BaseAddress!.Authority);
        Default("Connection", "close");
        if (token is not null)
        {
            Default("Authorization", $"Bearer {token}");
        }

        var bytes = body is null ? [] : Encoding.UTF8.GetBytes(body);
        if (all.Contains(("Transfer-Encoding", "chunked")))
        {
            bytes = Chunked(bytes);
        }
        else if (body is not null)
        {
            Default("Content-Length", bytes.Length.ToString(CultureInfo.InvariantCulture));
        }

        foreach (var (name, value) in all)
        {
            head.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        head.Append("\r\n");
        // Latin-1: what a test has put into a header goes out as the same byte.
        return host.SendAsync([.. Encoding.Latin1.GetBytes(head.ToString()), .. bytes]);
    }

    public static Task<Reply> AskAsync(
        this RunningHost host,
        string target,
        string? token,
        string? body = null,
        params (string Name, string Value)[] headers
    ) => host.SendAsync("GET", target, token, body, headers);

    /// <summary>Sends these bytes and reads the first answer to them.</summary>
    public static async Task<Reply> SendAsync(this RunningHost host, byte[] request)
    {
        using var stop = Deadline.In();
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, host.Http.BaseAddress!.Port, stop.Token);
        await using var stream = client.GetStream();
        try
        {
            await stream.WriteAsync(request, stop.Token);
        }
        catch (IOException)
        {
            // The server may answer and hang up before all of a long body is sent.
        }

        var hasNoBody = request.AsSpan().StartsWith("HEAD "u8);
        using var reader = new BufferedStream(stream);
        while (true)
        {
            var status = int.Parse((await LineAsync(reader, stop.Token)).Split(' ')[1]);
            var headers = new List<KeyValuePair<string, string>>();
            while (await LineAsync(reader, stop.Token) is { Length: > 0 } line)
            {
                var colon = line.IndexOf(':', StringComparison.Ordinal);
                headers.Add(KeyValuePair.Create(line[..colon], line[(colon + 1)..].Trim()));
            }

            if (status >= 200)
            {
                var reply = new Reply(status, headers, []);
                return hasNoBody || status is 204 or 304
                    ? reply with
                    {
                        Body = await LeftoverAsync(reader, stop.Token),
                    }
                    : reply with
                    {
                        Body = await BodyAsync(reply, reader, stop.Token),
                    };
            }
        }
    }

    private static byte[] Chunked(byte[] bytes)
    {
        var chunks = new List<byte>();
        foreach (var chunk in bytes.Chunk(bytes.Length > 1000 ? 30_000 : 7))
        {
            chunks.AddRange([.. Encoding.ASCII.GetBytes($"{chunk.Length:x}\r\n"), .. chunk, .. "\r\n"u8]);
        }

        return [.. chunks, .. "0\r\n\r\n"u8];
    }

    private static async Task<byte[]> BodyAsync(Reply reply, Stream stream, CancellationToken stop)
    {
        using var body = new MemoryStream();
        if (reply["Content-Length"] is { } length)
        {
            var bytes = new byte[int.Parse(length)];
            await stream.ReadExactlyAsync(bytes, stop);
            return bytes;
        }

        if (reply["Transfer-Encoding"] is null)
        {
            return await LeftoverAsync(stream, stop);
        }

        while (true)
        {
            var chunk = new byte[int.Parse(await LineAsync(stream, stop), NumberStyles.HexNumber)];
            await stream.ReadExactlyAsync(chunk, stop);
            Assert.Equal("", await LineAsync(stream, stop));
            if (chunk.Length == 0)
            {
                return body.ToArray();
            }

            body.Write(chunk);
        }
    }

    // What comes until the connection ends.
    private static async Task<byte[]> LeftoverAsync(Stream stream, CancellationToken stop)
    {
        using var rest = new MemoryStream();
        await stream.CopyToAsync(rest, stop);
        return rest.ToArray();
    }

    private static async Task<string> LineAsync(Stream stream, CancellationToken stop)
    {
        var line = new StringBuilder();
        var one = new byte[1];
        while (true)
        {
            await stream.ReadExactlyAsync(one, stop);
            if (one[0] == '\n')
            {
                return line.ToString().TrimEnd('\r');
            }

            line.Append((char)one[0]);
        }
    }
}
