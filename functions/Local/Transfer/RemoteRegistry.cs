using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Local;

/// <summary>
/// Requests to one registry (OCI distribution spec). A registry that is busy or away is waited for, visibly, and not for longer than
/// <see cref="Patience"/>; what a request has begun is begun again by whoever sends it.
/// </summary>
internal sealed class RemoteRegistry : IDisposable
{
    private readonly HttpClient _http;
    private readonly Uri _registry;
    private readonly RegistryLogin _login;
    private readonly Action<string> _note;

    /// <summary>Makes it; nothing is sent.</summary>
    /// <param name="registry">Scheme, host and port.</param>
    /// <param name="login">Who asks.</param>
    /// <param name="note">Hears of waits.</param>
    public RemoteRegistry(Uri registry, RegistryLogin login, Action<string> note)
    {
        (_registry, _login, _note) = (registry, login, note);
        var handler = new SocketsHttpHandler
        {
            // A redirect of a blob leads to storage, which must not see the credentials.
            AllowAutoRedirect = false,
            ConnectTimeout = TimeSpan.FromSeconds(20),
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        };
        _http = new HttpClient(handler) { Timeout = System.Threading.Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("ImagesFunctions", "1"));
    }

    /// <summary>Hears of waits.</summary>
    public Action<string> Note => _note;

    /// <summary>How long a registry that answers nothing of use is waited for, from the last answer of use on.</summary>
    public static TimeSpan Patience { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long one request may take until its answer begins.</summary>
    public static TimeSpan RequestTime { get; } = TimeSpan.FromMinutes(4);

    /// <summary>Sends a request, again where the registry is busy or cannot be reached.</summary>
    /// <param name="method">Its method.</param>
    /// <param name="path">A path, or a whole address.</param>
    /// <param name="prepare">Gives it headers and a body, for each attempt.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>An answer that says something, also one that refuses. The body is still to be read.</returns>
    /// <exception cref="LocalException">The registry was not reached in time.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        HttpMethod method,
        string path,
        Action<HttpRequestMessage>? prepare,
        CancellationToken cancellationToken
    )
    {
        var wait = new PatientWait(_registry, _note);
        while (true)
        {
            var (response, reason) = await TryAsync(method, path, prepare, cancellationToken);
            if (response is not null && !PatientWait.IsBusy(response.StatusCode))
            {
                return response;
            }

            var asked = response?.Headers.RetryAfter;
            response?.Dispose();
            await wait.OnceAsync(reason!, asked, cancellationToken);
        }
    }

    /// <summary>As <see cref="SendAsync"/>, once: null with the reason where nothing came.</summary>
    public async Task<(HttpResponseMessage? Response, string? Reason)> TryAsync(
        HttpMethod method,
        string path,
        Action<HttpRequestMessage>? prepare,
        CancellationToken cancellationToken
    )
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(RequestTime);
        try
        {
            var response = await SendOnceAsync(method, path, prepare, deadline.Token);
            return (response, $"answers {(int)response.StatusCode}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (null, $"does not answer in {RequestTime.TotalMinutes:0} minutes");
        }
        catch (Exception error) when (PatientWait.IsCut(error))
        {
            return (null, $"cannot be reached ({OneLine.Of(error.GetBaseException())})");
        }
    }

    /// <summary>A manifest and its media type; null where there is none.</summary>
    /// <exception cref="LocalException">It is refused, or the bytes are not those of the digest.</exception>
    public async Task<(byte[] Bytes, string MediaType, Digest Digest)?> ManifestAsync(
        RegistryAddress image,
        string reference,
        CancellationToken cancellationToken
    )
    {
        var wait = new PatientWait(_registry, _note);
        while (true)
        {
            using var response = await SendAsync(HttpMethod.Get, image.Manifest(reference), Accept, cancellationToken);
            if (response.StatusCode == HttpStatusCode.NotFound)
            {
                return null;
            }

            await DemandAsync(response, $"{image.Repository}: the manifest {reference}", cancellationToken);
            byte[] bytes;
            try
            {
                bytes = await BoundedAsync(response.Content, cancellationToken);
            }
            catch (Exception error) when (PatientWait.IsCut(error))
            {
                await wait.OnceAsync("has cut the connection", after: null, cancellationToken);
                continue;
            }

            var named = Digest.TryParse(reference, out var wanted) ? wanted : null;
            var digest = Digest.Of(named?.Algorithm ?? "sha256", bytes);
            return named is null || named == digest
                ? (bytes, response.Content.Headers.ContentType?.MediaType ?? "", digest)
                : throw new LocalException($"{_registry.Authority} sends {reference} with bytes that hash to {digest}");
        }
    }

    /// <summary>Demands that an answer is a success, and says what the registry says where it is none.</summary>
    /// <exception cref="LocalException">It is none.</exception>
    public async Task DemandAsync(HttpResponseMessage response, string what, CancellationToken cancellationToken)
    {
        if (response.IsSuccessStatusCode)
        {
            return;
        }

        var said = "";
        try
        {
            var body = await BoundedAsync(response.Content, cancellationToken);
            var error = JsonNode.Parse(body)?["errors"]?[0];
            said = $": {(string?)error?["code"]} {(string?)error?["message"]}";
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException || PatientWait.IsCut(error))
        {
            // It says it in no form that is known.
        }

        var remedy = response.StatusCode switch
        {
            HttpStatusCode.Unauthorized => " (name a token: --token or IMAGES_TOKEN)",
            HttpStatusCode.Forbidden => " (the token has not the right to)",
            _ => "",
        };
        throw new LocalException($"{what}: {_registry.Authority} answers {(int)response.StatusCode}{said}{remedy}");
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static void Accept(HttpRequestMessage request)
    {
        foreach (
            var type in (string[])
                [MediaTypes.OciIndex, MediaTypes.DockerList, MediaTypes.OciManifest, MediaTypes.DockerManifest]
        )
        {
            request.Headers.Accept.ParseAdd(type);
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(
        HttpMethod method,
        string path,
        Action<HttpRequestMessage>? prepare,
        CancellationToken cancellationToken
    )
    {
        _login.Begin();
        var address = new Uri(_registry, path);
        for (var attempt = 1; ; attempt++)
        {
            using var request = new HttpRequestMessage(method, address);
            prepare?.Invoke(request);
            if (address.Authority == _registry.Authority && address.Scheme == _registry.Scheme)
            {
                request.Headers.Authorization = _login.Current;
            }

            var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            var isRedirect = (int)response.StatusCode is 301 or 302 or 303 or 307 or 308;
            if (attempt <= 3 && isRedirect && method == HttpMethod.Get && response.Headers.Location is { } location)
            {
                address = new Uri(address, location);
            }
            else if (
                attempt > 2
                || response.StatusCode != HttpStatusCode.Unauthorized
                || !await _login.FollowAsync(_http, response.Headers.WwwAuthenticate, cancellationToken)
            )
            {
                return response;
            }

            response.Dispose();
        }
    }

    private static async Task<byte[]> BoundedAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        var bytes = new MemoryStream();
        var buffer = new byte[16 * 1024];
        for (int read; (read = await stream.ReadAsync(buffer, cancellationToken)) > 0; )
        {
            bytes.Write(buffer, 0, read);
            if (bytes.Length > Manifest.MaxContent)
            {
                throw new LocalException($"an answer is longer than a manifest may be ({Manifest.MaxContent} bytes)");
            }
        }

        return bytes.ToArray();
    }
}

/// <summary>Waits for a registry that is busy or away: longer each time, as long as it asks for, and not for ever.</summary>
/// <param name="registry">Which one, for messages.</param>
/// <param name="note">Hears of each wait.</param>
internal sealed class PatientWait(Uri registry, Action<string> note)
{
    private static readonly TimeSpan s_longest = TimeSpan.FromSeconds(30);

    private long _began = TimeProvider.System.GetTimestamp();
    private int _waits;

    /// <summary>Whether an answer says that a later request may succeed.</summary>
    public static bool IsBusy(HttpStatusCode status) => (int)status is 408 or 429 or 500 or 502 or 503 or 504;

    /// <summary>Whether the connection was cut, or never came about.</summary>
    public static bool IsCut(Exception error) =>
        error is HttpRequestException or SocketException or (IOException and not FileNotFoundException);

    /// <summary>Begins anew: something came about.</summary>
    public void Reset() => (_began, _waits) = (TimeProvider.System.GetTimestamp(), 0);

    /// <summary>Waits once.</summary>
    /// <param name="reason">What the registry does, as the end of a sentence.</param>
    /// <param name="after">What it asks for; or null.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="LocalException">It was waited for long enough.</exception>
    public async Task OnceAsync(string reason, RetryConditionHeaderValue? after, CancellationToken cancellationToken)
    {
        var spent = TimeProvider.System.GetElapsedTime(_began);
        if (spent > RemoteRegistry.Patience)
        {
            throw new LocalException(
                $"{registry.Authority} {reason}, and was waited for {spent.TotalSeconds:0} s. The same command goes on from here."
            );
        }

        var asked = after?.Delta ?? (after?.Date is { } date ? date - TimeProvider.System.GetUtcNow() : null);
        var step = TimeSpan.FromSeconds(0.5 * Math.Pow(2, Math.Min(_waits++, 6)));
        var time = asked > step ? asked.Value : step;
        time = time > s_longest ? s_longest : time;
        note($"{registry.Authority} {reason}: waiting {Math.Max(1, time.TotalSeconds):0} s");
        await Task.Delay(time, cancellationToken);
    }
}
