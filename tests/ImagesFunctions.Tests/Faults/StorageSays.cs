using System.Net;
using System.Text;

namespace ImagesFunctions.Tests.Faults;

/// <summary>An error of storage as Azure documents it.</summary>
internal sealed record SaidByStorage(HttpStatusCode Status, string Code);

/// <summary>
/// Stands before a storage account and answers for it, in the form of Azure's own answers: blobs name an error in a header
/// and in XML, a HEAD in the header only, tables in JSON only, and a transaction in a part of an answer that says 202.
/// </summary>
internal sealed class StorageSays(string connection) : DelegatingHandler(new SocketsHttpHandler())
{
    private readonly int _tablePort = AzureLimits.TablePortOf(connection);
    private int _said;
    private int _held;

    /// <summary>What storage says to a request; null: what it really says.</summary>
    public Func<HttpRequestMessage, SaidByStorage?> Say { get; set; } = _ => null;

    /// <summary>Headers that storage's own answer to a request gets besides.</summary>
    public Func<HttpRequestMessage, IEnumerable<(string Name, string Value)>> Add { get; set; } = _ => [];

    /// <summary>What happens before storage gets a request.</summary>
    public Func<HttpRequestMessage, Task> Before { get; set; } = _ => Task.CompletedTask;

    /// <summary>Requests that are not answered at all.</summary>
    public Func<HttpRequestMessage, bool> Hold { get; set; } = _ => false;

    /// <summary>How long storage pauses before each piece of a request or an answer; null: not at all.</summary>
    public Func<HttpRequestMessage, TimeSpan?> Pause { get; set; } = _ => null;

    /// <summary>How many bytes of an answer come, and then no more; null: all of them.</summary>
    public Func<HttpRequestMessage, int?> StallAfter { get; set; } = _ => null;

    /// <summary>How often it answered for storage.</summary>
    public int Said => Volatile.Read(ref _said);

    /// <summary>How many requests it did not answer.</summary>
    public int Held => Volatile.Read(ref _held);

    /// <summary>Whether a request is about a container or a blob in it.</summary>
    public bool IsBlob(HttpRequestMessage request, string container) =>
        request.RequestUri!.Port != _tablePort && Segment(request) == container;

    /// <summary>Whether a request is about rows of a table. Transactions are of the table <c>images</c>.</summary>
    public bool IsTable(HttpRequestMessage request, string table) =>
        request.RequestUri!.Port == _tablePort
        && (Segment(request).Split('(')[0] == table || (table == "images" && Segment(request) == "$batch"));

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        await Before(request);
        if (Hold(request))
        {
            Interlocked.Increment(ref _held);
            await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        }

        if (Say(request) is not { } said)
        {
            return await PassAsync(request, cancellationToken);
        }

        Interlocked.Increment(ref _said);
        if (request.Content is not null)
        {
            // As storage does, before it answers.
            await request.Content.CopyToAsync(Stream.Null, cancellationToken);
        }

        return request.RequestUri!.Port == _tablePort
            ? Segment(request) == "$batch"
                ? TransactionAnswer(request, said)
                : Answer(request, said.Status, TableError(said.Code, ""), "application/json")
            : BlobAnswer(request, said);
    }

    private async Task<HttpResponseMessage> PassAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var pause = Pause(request);
        if (pause is not null && request.Content is { } sent)
        {
            using var taken = new MemoryStream();
            await sent.CopyToAsync(new UnevenStream(taken, pause.Value, int.MaxValue), cancellationToken);
            request.Content = WithHeaders(new ByteArrayContent(taken.ToArray()), sent);
        }

        var answer = await base.SendAsync(request, cancellationToken);
        foreach (var (name, value) in Add(request))
        {
            answer.Headers.Add(name, value);
        }

        var stallsAfter = StallAfter(request);
        if (pause is not null || stallsAfter is not null)
        {
            var content = answer.Content;
            var stream = new UnevenStream(
                await content.ReadAsStreamAsync(cancellationToken),
                pause ?? TimeSpan.Zero,
                stallsAfter ?? int.MaxValue
            );
            answer.Content = WithHeaders(new StreamContent(stream), content);
        }

        return answer;
    }

    private static HttpContent WithHeaders(HttpContent content, HttpContent from)
    {
        foreach (var (name, values) in from.Headers)
        {
            content.Headers.TryAddWithoutValidation(name, values);
        }

        return content;
    }

    private static string Segment(HttpRequestMessage request) =>
        request.RequestUri!.AbsolutePath.Split('/') is [_, _, var segment, ..] ? segment : "";

    private static string TableError(string code, string index) =>
        """{"odata.error":{"code":"CODE","message":{"lang":"en-US","value":"INDEXAs said.\nRequestId:0\nTime:0"}}}"""
            .Replace("CODE", code, StringComparison.Ordinal)
            .Replace("INDEX", index, StringComparison.Ordinal);

    private static HttpResponseMessage BlobAnswer(HttpRequestMessage request, SaidByStorage said)
    {
        var answer = Answer(
            request,
            said.Status,
            request.Method == HttpMethod.Head
                ? ""
                : $"<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{said.Code}</Code><Message>As said.</Message></Error>",
            "application/xml"
        );
        answer.Headers.Add("x-ms-error-code", said.Code);
        if (request.Method == HttpMethod.Head)
        {
            // No body, and so none of any type.
            answer.Content.Headers.ContentType = null;
        }

        return answer;
    }

    private static HttpResponseMessage TransactionAnswer(HttpRequestMessage request, SaidByStorage said)
    {
        string[] lines =
        [
            "--batchresponse_1",
            "Content-Type: multipart/mixed; boundary=changesetresponse_1",
            "",
            "--changesetresponse_1",
            "Content-Type: application/http",
            "Content-Transfer-Encoding: binary",
            "",
            $"HTTP/1.1 {(int)said.Status} {said.Status}",
            "Content-Type: application/json;odata=minimalmetadata;charset=utf-8",
            "",
            TableError(said.Code, "0:"),
            "--changesetresponse_1--",
            "--batchresponse_1--",
            "",
        ];
        var answer = Answer(request, HttpStatusCode.Accepted, string.Join("\r\n", lines), "text/plain");
        answer.Content.Headers.Remove("Content-Type");
        answer.Content.Headers.TryAddWithoutValidation("Content-Type", "multipart/mixed; boundary=batchresponse_1");
        return answer;
    }

    private static HttpResponseMessage Answer(
        HttpRequestMessage request,
        HttpStatusCode status,
        string body,
        string type
    )
    {
        var answer = new HttpResponseMessage(status)
        {
            RequestMessage = request,
            Content = new StringContent(body, Encoding.UTF8, type),
        };
        // As each answer of storage.
        answer.Headers.Add("x-ms-request-id", "0");
        answer.Headers.Add("x-ms-version", "2019-02-02");
        return answer;
    }
}
