using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ImagesFunctions.Local;

/// <summary>The ports of one Azurite on 127.0.0.1.</summary>
internal sealed record AzuritePorts(int Blob, int Queue, int Table)
{
    public static AzuritePorts Standard { get; } = new(10000, 10001, 10002);

    // The account and key that every Azurite has: they are printed in Microsoft's documentation and protect nothing.
    private const string Account = "devstoreaccount1";
    private const string Key =
        "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

    // 127.0.0.1 is never behind a proxy.
    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false })
    {
        Timeout = TimeSpan.FromSeconds(5),
    };

    public string ConnectionString =>
        $"DefaultEndpointsProtocol=http;AccountName={Account};AccountKey={Key};"
        + $"BlobEndpoint={Address(Blob)};QueueEndpoint={Address(Queue)};TableEndpoint={Address(Table)};";

    public IEnumerable<string> Arguments =>
        new[] { ("blob", Blob), ("queue", Queue), ("table", Table) }.SelectMany(service =>
            new[]
            {
                $"--{service.Item1}Host",
                "127.0.0.1",
                $"--{service.Item1}Port",
                service.Item2.ToString(CultureInfo.InvariantCulture),
            }
        );

    public bool AllFree => new[] { Blob, Queue, Table }.All(IsFree);

    public static Uri Address(int port) => new($"http://127.0.0.1:{port}/{Account}");

    /// <summary>Three that nobody listens on now; somebody may before they are used, so the user tries again.</summary>
    public static AzuritePorts Free()
    {
        var listeners = Enumerable.Range(0, 3).Select(_ => new TcpListener(IPAddress.Loopback, 0)).ToList();
        try
        {
            listeners.ForEach(listener => listener.Start());
            var ports = listeners.ConvertAll(listener => ((IPEndPoint)listener.LocalEndpoint).Port);
            return new AzuritePorts(ports[0], ports[1], ports[2]);
        }
        finally
        {
            listeners.ForEach(listener => listener.Dispose());
        }
    }

    /// <summary>The version of the Azurite that answers for blobs and for tables, or null.</summary>
    public async Task<Version?> AnswerAsync(CancellationToken cancellationToken) =>
        await AskAsync(new Uri(Address(Blob) + "?comp=list"), "Azurite-Blob", cancellationToken) is { } version
        && await AskAsync(new Uri(Address(Table) + "/Tables"), "Azurite-Table", cancellationToken) is not null
            ? version
            : null;

    private static bool IsFree(int port)
    {
        try
        {
            using var listener = new TcpListener(IPAddress.Loopback, port);
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static async Task<Version?> AskAsync(Uri address, string product, CancellationToken cancellationToken)
    {
        try
        {
            // Refused without a signature, but by Azurite, which says so in its name.
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            using var response = await Http.SendAsync(request, cancellationToken);
            var server = string.Join(' ', response.Headers.NonValidated["Server"]);
            return
                server.StartsWith(product + "/", StringComparison.Ordinal)
                && Version.TryParse(server[(product.Length + 1)..], out var version)
                ? version
                : null;
        }
        catch (Exception error)
            when (error is HttpRequestException or KeyNotFoundException
                || (error is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            return null;
        }
    }
}
