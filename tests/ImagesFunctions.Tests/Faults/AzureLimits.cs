using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using Azure.Core.Pipeline;
using ImagesFunctions.Storage;
using Microsoft.Extensions.Configuration;

namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// Refuses what goes beyond Azure's published targets for one storage account, all divided by the same number: 20,000
/// requests a second to the account, 2,000 entities a second to a partition of a table, 500 requests a second to a blob. A
/// second's worth may come at once. The refusals are Azure's own: 503 ServerBusy, inside the answer's parts where a partition
/// refuses a transaction; and now and then 500 OperationTimedOut, after which nobody knows whether it took effect.
/// </summary>
internal sealed class AzureLimits(int tablePort, double dividedBy) : DelegatingHandler(new SocketsHttpHandler())
{
    private const double OfAccount = 20_000;
    private const double OfPartition = 2_000;
    private const double OfBlob = 500;
    private const double MaxSlowness = 2;

    private readonly Bucket _account = new(OfAccount / dividedBy);
    private readonly ConcurrentDictionary<string, Bucket> _places = new(StringComparer.Ordinal);
    private int _served;
    private int _byAccount;
    private int _byPlace;
    private int _timedOut;
    private volatile bool _isOff;
    private volatile bool _isTaken;
    private volatile bool _arePlacesTaken;
    private int _refusals;
    private int _refusedQueries;

    /// <summary>How many were served, and refused for the account's sake and for a partition's or blob's.</summary>
    public (int Served, int ByAccount, int ByPlace) Counts => (_served, _byAccount, _byPlace);

    /// <summary>From here on everything is served.</summary>
    public void Lift() => _isOff = true;

    /// <summary>Others take all that the account may serve, or let go of it again.</summary>
    public void OthersTakeAll(bool taken) => _isTaken = taken;

    /// <summary>Others take all that each partition and blob may serve, or let go of it again.</summary>
    public void OthersTakePlaces(bool taken) => _arePlacesTaken = taken;

    /// <summary>The next so many transactions are refused by their partition.</summary>
    public void RefuseTransactions(int count) => Volatile.Write(ref _refusals, count);

    /// <summary>The next so many queries for rows are refused.</summary>
    public void RefuseQueries(int count) => Volatile.Write(ref _refusedQueries, count);

    /// <summary>The port of the table service in a connection string for an emulator.</summary>
    public static int TablePortOf(string connection) =>
        new Uri(
            connection.Split(';').Single(p => p.StartsWith("TableEndpoint=", StringComparison.Ordinal))[
                "TableEndpoint=".Length..
            ]
        ).Port;

    /// <summary>A storage account whose requests pass through this handler.</summary>
    public static StorageAccount AccountOver(
        string connection,
        HttpMessageHandler network,
        StorageTimes? times = null
    ) =>
        StorageAccount.From(
            new ConfigurationBuilder().AddInMemoryCollection([new(StorageAccount.Section, connection)]).Build(),
            [],
            credential: null,
            network,
            times
        );

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        if (_isOff)
        {
            return await base.SendAsync(request, cancellationToken);
        }

        var sent = await StorageRequest.ReadAsync(request, tablePort);
        if (Refusal(request, sent) is { } refusal)
        {
            return refusal;
        }

        var place = sent.Place is { } name
            ? _places.GetOrAdd(name, _ => new Bucket((sent.IsTable ? OfPartition : OfBlob) / dividedBy))
            : null;
        if (place is not null && (_arePlacesTaken || !place.TryTake(sent.Entities)))
        {
            return await BeyondAsync(request, sent, cancellationToken);
        }

        Interlocked.Increment(ref _served);
        var answer = await base.SendAsync(request, cancellationToken);
        // What a query has found is known only now; the next ones wait for it.
        place?.Owe(await StorageRequest.FoundAsync(request, answer));
        return answer;
    }

    // For the account's sake, or because a test asked for it.
    private HttpResponseMessage? Refusal(HttpRequestMessage request, StorageRequest sent)
    {
        if (_isTaken || !_account.TryTake(1))
        {
            Interlocked.Increment(ref _byAccount);
            return Busy(request, sent);
        }

        if (StorageRequest.IsQuery(request) && Interlocked.Decrement(ref _refusedQueries) >= 0)
        {
            Interlocked.Increment(ref _byPlace);
            return Busy(request, sent);
        }

        if (sent.IsTransaction && Interlocked.Decrement(ref _refusals) >= 0)
        {
            Interlocked.Increment(ref _byPlace);
            return BusyPart(request);
        }

        return null;
    }

    // What goes beyond a partition's or blob's limit: refused, or now and then timed out.
    private async Task<HttpResponseMessage> BeyondAsync(
        HttpRequestMessage request,
        StorageRequest sent,
        CancellationToken cancellationToken
    )
    {
        Interlocked.Increment(ref _byPlace);
        if (!sent.IsTable || sent.IsTransaction || Interlocked.Increment(ref _timedOut) % 8 != 0)
        {
            return sent.IsTransaction ? BusyPart(request) : Busy(request, sent);
        }

        // Of these one in two did take effect.
        if (Random.Shared.Next(2) == 0)
        {
            (await base.SendAsync(request, cancellationToken)).Dispose();
        }

        return Answer(request, HttpStatusCode.InternalServerError, TableError("OperationTimedOut"), sent);
    }

    private static string TableError(string code) =>
        """{"odata.error":{"code":"CODE","message":{"lang":"en-US","value":"Not now.\nRequestId:0\nTime:0"}}}""".Replace(
            "CODE",
            code,
            StringComparison.Ordinal
        );

    private static HttpResponseMessage Busy(HttpRequestMessage request, StorageRequest sent) =>
        Answer(
            request,
            HttpStatusCode.ServiceUnavailable,
            sent.IsTable
                ? TableError("ServerBusy")
                : "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>ServerBusy</Code><Message>Not now.</Message></Error>",
            sent
        );

    private static HttpResponseMessage Answer(
        HttpRequestMessage request,
        HttpStatusCode status,
        string body,
        StorageRequest sent
    )
    {
        var answer = new HttpResponseMessage(status)
        {
            RequestMessage = request,
            Content = new StringContent(body, Encoding.UTF8, sent.IsTable ? "application/json" : "application/xml"),
        };
        answer.Headers.Add("x-ms-request-id", "0");
        if (!sent.IsTable)
        {
            answer.Headers.Add("x-ms-error-code", "ServerBusy");
        }

        return answer;
    }

    // The transaction as a whole is answered with 202, and its one part says that nothing of it was done.
    private static HttpResponseMessage BusyPart(HttpRequestMessage request)
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
            "HTTP/1.1 503 Service Unavailable",
            "Content-Type: application/json;odata=minimalmetadata;charset=utf-8",
            "",
            TableError("ServerBusy").Replace("Not now.", "0:Not now.", StringComparison.Ordinal),
            "--changesetresponse_1--",
            "--batchresponse_1--",
            "",
        ];
        var content = new ByteArrayContent(Encoding.UTF8.GetBytes(string.Join("\r\n", lines)));
        content.Headers.TryAddWithoutValidation("Content-Type", "multipart/mixed; boundary=batchresponse_1");
        var answer = new HttpResponseMessage(HttpStatusCode.Accepted) { RequestMessage = request, Content = content };
        answer.Headers.Add("x-ms-request-id", "0");
        return answer;
    }

    // Holds a second's worth. Who comes while something is left gets all that he asks for, and the rest is owed.
    private sealed class Bucket(double rate)
    {
        private readonly Lock _gate = new();
        private readonly double _rate = rate;
        private double _left = rate;
        private long _since = Stopwatch.GetTimestamp();

        public bool TryTake(int count)
        {
            lock (_gate)
            {
                // As much less as this machine is slower, or a busy one would never come to the limit; but those who wait are
                // no slower for it.
                var seconds = Stopwatch.GetElapsedTime(_since).TotalSeconds / Math.Min(Slowness.Now, MaxSlowness);
                _left = Math.Min(_rate, _left + seconds * _rate);
                _since = Stopwatch.GetTimestamp();
                if (_left < 1)
                {
                    return false;
                }

                _left -= count;
                return true;
            }
        }

        public void Owe(int count)
        {
            lock (_gate)
            {
                // One is paid already. A large debt would be a standstill that Azure does not know.
                _left = Math.Max(-_rate, _left - Math.Max(0, count - 1));
            }
        }
    }
}
