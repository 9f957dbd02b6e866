using System.Text.RegularExpressions;

namespace ImagesFunctions.Tests.Faults;

/// <summary>A request to storage, as Azure counts it against its targets.</summary>
/// <param name="IsTable">To the table service; else to the blob service.</param>
/// <param name="Place">A table's partition, or a blob: what has a target of its own. Null: the account as a whole.</param>
/// <param name="Entities">Rows that it writes; 1 for all else. What a query finds is known afterwards: <see cref="Found"/>.</param>
/// <param name="IsTransaction">Several changes of one partition, all or none.</param>
/// <param name="IsWrite">It changes something.</param>
internal sealed partial record StorageRequest(
    bool IsTable,
    string? Place,
    int Entities,
    bool IsTransaction,
    bool IsWrite
)
{
    /// <summary>Reads it from what is sent.</summary>
    public static async Task<StorageRequest> ReadAsync(HttpRequestMessage request, int tablePort)
    {
        var uri = request.RequestUri!;
        var isWrite = request.Method != HttpMethod.Get && request.Method != HttpMethod.Head;
        if (uri.Port != tablePort)
        {
            return new StorageRequest(false, uri.AbsolutePath, 1, IsTransaction: false, isWrite);
        }

        // An entity is named in the path, asked for in the query, or added in the body.
        var target = Uri.UnescapeDataString(uri.PathAndQuery);
        var text = target;
        if (request.Content is { } content && request.Method == HttpMethod.Post)
        {
            await content.LoadIntoBufferAsync();
            text += Uri.UnescapeDataString(await content.ReadAsStringAsync());
        }

        var table = Table().Match(text);
        var partition = Partition().Match(text);
        return new StorageRequest(
            true,
            partition.Success ? $"{table.Groups[1].Value}/{partition.Groups[1].Value}" : null,
            target.Contains("$batch", StringComparison.Ordinal) ? Change().Count(text) : 1,
            target.Contains("$batch", StringComparison.Ordinal),
            isWrite
        );
    }

    /// <summary>Whether it asks for rows by their range.</summary>
    public static bool IsQuery(HttpRequestMessage request) =>
        request.Method == HttpMethod.Get && request.RequestUri!.AbsolutePath.EndsWith("()", StringComparison.Ordinal);

    /// <summary>The rows that an answer to a query holds.</summary>
    public static async Task<int> FoundAsync(HttpRequestMessage request, HttpResponseMessage answer)
    {
        if (!IsQuery(request))
        {
            return 0;
        }

        await answer.Content.LoadIntoBufferAsync();
        return RowKey().Count(await answer.Content.ReadAsStringAsync());
    }

    [GeneratedRegex("/(images|accounts)[(? ]|/(images|accounts)$")]
    private static partial Regex Table();

    [GeneratedRegex("PartitionKey(?:='| eq '|\":\")([^'\"]+)")]
    private static partial Regex Partition();

    [GeneratedRegex(@"(?m)^(?:POST|PUT|PATCH|MERGE|DELETE) \S+ HTTP/1\.1")]
    private static partial Regex Change();

    [GeneratedRegex("\"RowKey\":")]
    private static partial Regex RowKey();
}

/// <summary>Counts what is sent to storage.</summary>
internal sealed class StorageMeter(int tablePort) : DelegatingHandler(new SocketsHttpHandler())
{
    private readonly Lock _gate = new();
    private int _tables;
    private int _entities;
    private int _blobs;

    /// <summary>Requests to the table service, entities of partitions of the table images in them and in their answers, and requests to the blob service.</summary>
    public (int Tables, int Entities, int Blobs) Counts
    {
        get
        {
            lock (_gate)
            {
                return (_tables, _entities, _blobs);
            }
        }
    }

    /// <summary>From zero again.</summary>
    public void Reset()
    {
        lock (_gate)
        {
            (_tables, _entities, _blobs) = (0, 0, 0);
        }
    }

    protected override async Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request,
        CancellationToken cancellationToken
    )
    {
        var sent = await StorageRequest.ReadAsync(request, tablePort);
        var answer = await base.SendAsync(request, cancellationToken);
        // A read costs an entity whether it finds one or not.
        var entities = Math.Max(sent.Entities, await StorageRequest.FoundAsync(request, answer));
        lock (_gate)
        {
            _tables += sent.IsTable ? 1 : 0;
            _blobs += sent.IsTable ? 0 : 1;
            _entities +=
                sent.IsTable && sent.Place?.StartsWith("images/", StringComparison.Ordinal) == true ? entities : 0;
        }

        return answer;
    }
}
