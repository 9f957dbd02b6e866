using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Data.Tables;
using Azure.Data.Tables.Sas;
using Azure.Storage.Blobs;
using Azure.Storage.Sas;

namespace ImagesFunctions.Benchmarks;

/// <summary>
/// Storage calls as they were made, to be made again without what made them. A call is sent again as soon as all calls are
/// answered that had been answered when it was first sent; so there is as much at once as there was, and no work between.
/// </summary>
internal sealed partial class Recording : HttpPipelinePolicy
{
    // What the client and not the caller says of a request, or what would be wrong the second time.
    private static readonly string[] s_dropped = ["Authorization", "Host", "x-ms-date", "Content-Length", "Date"];

    private readonly List<Call> _calls = [];
    private bool _isOn;
    private int _answered;

    private sealed class Call
    {
        public required RequestMethod Method { get; init; }

        public required Uri Uri { get; init; }

        public required List<KeyValuePair<string, string>> Headers { get; init; }

        public required byte[]? Body { get; init; }

        // How many calls had been answered when it was sent, and as the how-manyth it was answered itself.
        public required int After { get; init; }

        public int Number { get; set; }
    }

    public int Count => _calls.Count;

    public void Begin() => _isOn = true;

    public void End() => _isOn = false;

    public override async ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline)
    {
        if (!_isOn)
        {
            await ProcessNextAsync(message, pipeline);
            return;
        }

        byte[]? body = null;
        if (message.Request.Content is { } content)
        {
            using var copy = new MemoryStream();
            await content.WriteToAsync(copy, message.CancellationToken);
            body = copy.ToArray();
        }

        var isTransaction = message.Request.Uri.Path.EndsWith("$batch", StringComparison.Ordinal);
        Call call;
        lock (_calls)
        {
            call = new Call
            {
                Method = message.Request.Method,
                Uri = message.Request.Uri.ToUri(),
                Headers =
                [
                    .. message
                        .Request.Headers.Where(h => !s_dropped.Contains(h.Name, StringComparer.OrdinalIgnoreCase))
                        .Select(h => KeyValuePair.Create(h.Name, h.Name == "If-Match" ? "*" : h.Value)),
                ],
                Body = body is not null && isTransaction ? WithAnyETag(body) : body,
                After = _answered,
            };
            _calls.Add(call);
        }

        await ProcessNextAsync(message, pipeline);
        lock (_calls)
        {
            call.Number = _answered++;
        }
    }

    public override void Process(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) =>
        throw new NotSupportedException("The library makes no blocking calls.");

    /// <summary>Makes all calls again, on another storage.</summary>
    /// <param name="from">The connection string of the storage that they were made on.</param>
    /// <param name="to">That of the other one.</param>
    /// <param name="stop">Ends it.</param>
    /// <returns>How long that took, in seconds.</returns>
    /// <exception cref="InvalidOperationException">Storage fails, or refuses to be asked.</exception>
    public async Task<double> ReplayAsync(string from, string to, CancellationToken stop)
    {
        // Signed addresses: a signed request could not be sent again.
        var end = DateTimeOffset.UtcNow.AddHours(1);
        var blobs = new BlobServiceClient(to).GenerateAccountSasUri(
            AccountSasPermissions.All,
            end,
            AccountSasResourceTypes.All
        );
        var tables = new TableServiceClient(to).GenerateSasUri(
            TableAccountSasPermissions.All,
            TableAccountSasResourceTypes.All,
            end
        );
        var tablePort = new TableServiceClient(from).Uri.Port;
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var answered = _calls.ConvertAll(_ => new TaskCompletionSource());
        // Of the first so many answers.
        var all = new Task[answered.Count + 1];
        all[0] = Task.CompletedTask;
        for (var i = 0; i < answered.Count; i++)
        {
            all[i + 1] = Task.WhenAll(all[i], answered[i].Task);
        }

        var started = Stopwatch.GetTimestamp();
        await Task.WhenAll(_calls.Select(SendInTurnAsync));
        return Stopwatch.GetElapsedTime(started).TotalSeconds;

        async Task SendInTurnAsync(Call call)
        {
            await all[call.After];
            try
            {
                await SendAsync(http, call, call.Uri.Port == tablePort ? tables : blobs, stop);
            }
            finally
            {
                answered[call.Number].SetResult();
            }
        }
    }

    private static async Task SendAsync(HttpClient http, Call call, Uri signed, CancellationToken stop)
    {
        var query = call.Uri.Query.Length > 1 ? $"{call.Uri.Query}&{signed.Query[1..]}" : signed.Query;
        var uri = new Uri(signed.GetLeftPart(UriPartial.Authority) + call.Uri.AbsolutePath + query);
        using var request = new HttpRequestMessage(new HttpMethod(call.Method.Method), uri);
        if (call.Body is not null)
        {
            request.Content = new ByteArrayContent(call.Body);
        }

        foreach (var (name, value) in call.Headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, value);
            }
        }

        using var answer = await http.SendAsync(request, stop);
        await answer.Content.CopyToAsync(Stream.Null, stop);
        if ((int)answer.StatusCode is 400 or 401 or 403 or >= 500)
        {
            var body = await answer.Content.ReadAsStringAsync(stop);
            throw new InvalidOperationException($"{call.Method} {uri.AbsolutePath}: {answer.StatusCode} {body}");
        }
    }

    // ETags are others the second time.
    [GeneratedRegex("""If-Match: [^\r\n*]+""", RegexOptions.ExplicitCapture, 1_000)]
    private static partial Regex Condition { get; }

    private static byte[] WithAnyETag(byte[] transaction) =>
        Encoding.UTF8.GetBytes(Condition.Replace(Encoding.UTF8.GetString(transaction), "If-Match: *"));
}
