using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Benchmarks;

/// <summary>What <c>wrk</c> measured.</summary>
/// <param name="Requests">Answered requests a second.</param>
/// <param name="Bytes">Bytes a second, those of answers that were not finished too.</param>
/// <param name="Median">Of the time that a request took, in milliseconds.</param>
internal sealed record Wrk(double Requests, double Bytes, double Median)
{
    /// <summary>Asks for a path over and over on so many connections.</summary>
    /// <exception cref="InvalidOperationException">Something was answered with an error, or a connection failed.</exception>
    public static async Task<Wrk> RunAsync(
        Client client,
        string path,
        int connections,
        int seconds,
        CancellationToken stop,
        string? ifNoneMatch = null
    )
    {
        List<string> arguments =
        [
            $"-t{Math.Min(2, connections)}",
            $"-c{connections}",
            $"-d{seconds}s",
            "--timeout",
            "60s",
            "--latency",
        ];
        if (client.Token is not null)
        {
            arguments.AddRange(["-H", $"Authorization: Bearer {client.Token}"]);
        }

        if (ifNoneMatch is not null)
        {
            arguments.AddRange(["-H", $"If-None-Match: {ifNoneMatch}"]);
        }

        arguments.Add($"{new Uri(client.Address, path)}");
        var said = (await Cli.Wrap("wrk").WithArguments(arguments).ExecuteBufferedAsync(stop)).StandardOutput;
        if (Regex.IsMatch(said, "Non-2xx|connect [1-9]|read [1-9]|write [1-9]", RegexOptions.ExplicitCapture))
        {
            throw new InvalidOperationException($"{path} was not answered as it should be: {said}");
        }

        return new Wrk(
            Number(said, @"Requests/sec:\s+(?<n>[\d.]+)(?<u>)"),
            Number(said, @"Transfer/sec:\s+(?<n>[\d.]+)(?<u>[KMG]?)B"),
            Number(said, @"50%\s+(?<n>[\d.]+)(?<u>us|ms|s|m)")
        );
    }

    private static double Number(string said, string pattern)
    {
        var match = Regex.Match(said, pattern, RegexOptions.ExplicitCapture);
        if (!match.Success)
        {
            throw new InvalidOperationException($"wrk says something else: {said}");
        }

        var unit = match.Groups["u"].Value switch
        {
            "K" => 1024,
            "M" => 1024 * 1024,
            "G" => 1024 * 1024 * 1024,
            "us" => 0.001,
            "s" => 1_000,
            "m" => 60_000,
            _ => 1,
        };
        return unit * double.Parse(match.Groups["n"].Value, CultureInfo.InvariantCulture);
    }
}

/// <summary>A thin client of one server: what <c>wrk</c> cannot do. Times are in milliseconds.</summary>
internal sealed class Client : IDisposable
{
    private readonly HttpClient _http;
    private readonly byte[] _buffer = new byte[256 * 1024];

    public Client(Uri address, string? token = null, string? accept = null)
    {
        (Address, Token) = (address, token);
        // 127.0.0.1 is never behind a proxy; whoever redirects is measured, too.
        var handler = new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false };
        _http = new HttpClient(handler) { BaseAddress = address, Timeout = Timeout.InfiniteTimeSpan };
        if (token is not null)
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        if (accept is not null)
        {
            _http.DefaultRequestHeaders.Add("Accept", accept);
        }
    }

    public Uri Address { get; }

    public string? Token { get; }

    /// <summary>Sends a request and fails unless it is answered with this status.</summary>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        HttpStatusCode expected,
        CancellationToken stop,
        HttpContent? content = null,
        string? ifNoneMatch = null
    )
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        if (ifNoneMatch is not null)
        {
            request.Headers.TryAddWithoutValidation("If-None-Match", ifNoneMatch);
        }

        var answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        if (answer.StatusCode == expected)
        {
            return answer;
        }

        var body = await answer.Content.ReadAsStringAsync(stop);
        answer.Dispose();
        throw new InvalidOperationException($"{method} {path} was answered with {answer.StatusCode}: {body}");
    }

    /// <summary>Whether a path is answered with 200 now.</summary>
    public async Task<bool> AnswersAsync(string path, CancellationToken stop)
    {
        try
        {
            using var answer = await _http.GetAsync(path, stop);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>The whole body.</summary>
    public async Task<byte[]> GetAsync(string path, CancellationToken stop)
    {
        using var answer = await SendAsync(HttpMethod.Get, path, HttpStatusCode.OK, stop);
        return await answer.Content.ReadAsByteArrayAsync(stop);
    }

    /// <summary>When the first byte of the body came, when the last, and how many there were; they are dropped.</summary>
    public async Task<(double FirstByte, double Whole, long Bytes)> TimeAsync(string path, CancellationToken stop)
    {
        var started = Stopwatch.GetTimestamp();
        using var answer = await SendAsync(HttpMethod.Get, path, HttpStatusCode.OK, stop);
        await using var body = await answer.Content.ReadAsStreamAsync(stop);
        var (first, bytes) = (0.0, 0L);
        int read;
        while ((read = await body.ReadAsync(_buffer, stop)) > 0)
        {
            first = bytes == 0 ? Since(started) : first;
            bytes += read;
        }

        return (first, Since(started), bytes);
    }

    /// <summary>Pushes a blob in one PUT.</summary>
    public async Task PushAsync(string repository, Digest digest, HttpContent bytes, CancellationToken stop)
    {
        bytes.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        var session = await SessionAsync(repository, stop);
        using var _ = await SendAsync(HttpMethod.Put, End(session, digest), HttpStatusCode.Created, stop, bytes);
    }

    /// <summary>Pushes a blob in one PATCH without a length.</summary>
    public async Task PatchAsync(string repository, Digest digest, HttpContent bytes, CancellationToken stop)
    {
        bytes.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        var session = await SessionAsync(repository, stop);
        using var patched = await SendAsync(HttpMethod.Patch, session, HttpStatusCode.Accepted, stop, bytes);
        var end = End($"{patched.Headers.Location}", digest);
        using var _ = await SendAsync(HttpMethod.Put, end, HttpStatusCode.Created, stop);
    }

    /// <summary>Begins a push.</summary>
    /// <returns>Where to send it.</returns>
    public async Task<string> SessionAsync(string repository, CancellationToken stop)
    {
        using var begun = await SendAsync(
            HttpMethod.Post,
            $"v2/{repository}/blobs/uploads/",
            HttpStatusCode.Accepted,
            stop
        );
        return $"{begun.Headers.Location}";
    }

    private static string End(string session, Digest digest) =>
        session + (session.Contains('?', StringComparison.Ordinal) ? "&" : "?") + $"digest={digest}";

    public static double Since(long started) => Stopwatch.GetElapsedTime(started).TotalMilliseconds;

    public void Dispose() => _http.Dispose();
}

/// <summary>Bytes whose length a client does not know, so that it sends chunks.</summary>
internal sealed class WithoutLength(byte[] bytes) : MemoryStream(bytes, writable: false)
{
    public override bool CanSeek => false;
}

/// <summary>Measured values, and how they are got.</summary>
internal static class Samples
{
    /// <summary>Lets ours and the peer take turns, so that both meet the same disturbances, and takes the medians.</summary>
    /// <param name="bench">In a smoke test each has one turn.</param>
    /// <param name="ours">One turn of ours.</param>
    /// <param name="peer">One turn of the peer.</param>
    /// <param name="rounds">How many turns each has.</param>
    /// <param name="warmUp">Whether both have one turn before that does not count.</param>
    public static async Task<(double Ours, double Peer)> AlternateAsync(
        this Bench bench,
        Func<Task<double>> ours,
        Func<Task<double>> peer,
        int rounds = Bench.Rounds,
        bool warmUp = true
    )
    {
        (rounds, warmUp) = bench.Smoke ? (1, false) : (rounds, warmUp);
        var (a, b) = (new List<double>(), new List<double>());
        for (var round = warmUp ? -1 : 0; round < rounds; round++)
        {
            var (one, other) = (await ours(), await peer());
            if (round >= 0)
            {
                a.Add(one);
                b.Add(other);
            }
        }

        return (Median(a), Median(b));
    }

    public static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }
}
