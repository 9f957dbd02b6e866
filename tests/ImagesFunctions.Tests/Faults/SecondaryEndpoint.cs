using System.Collections.Concurrent;
using System.Net;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// A connection string may name a secondary endpoint, whose copy is minutes behind. Nothing is ever read there: a list from it would
/// be an old one, and what it lacks is not absent.
/// </summary>
public sealed class SecondaryEndpoint
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(503, "ServerBusy")]
    [InlineData(404, "TableNotFound")]
    [InlineData(0, "")]
    public async Task Is_not_asked_whatever_the_primary_says(int status, string code)
    {
        var primary = await Storages.NewWithTablesAsync();
        var secondary = await Storages.NewWithTablesAsync();
        var connection =
            primary
            + $"BlobSecondaryEndpoint={Endpoint(secondary, "Blob")};TableSecondaryEndpoint={Endpoint(secondary, "Table")};";
        await using var outside = new Node(primary);
        var token = await NodeRegistry.TokenAsync(outside, "alice");
        var image = Layout.Small("one");
        Assert.Equal(
            HttpStatusCode.Created,
            (await new NodeRegistry(outside, "alice", token).PushAsync("alice/web", image, "v1")).Status
        );
        using var says = new StorageSays(primary);
        var asked = new ConcurrentBag<string>();
        says.Say = request =>
        {
            asked.Add(request.RequestUri!.AbsolutePath.Split('/')[1]);
            return status == 0 || says.IsTable(request, "accounts") ? null : new((HttpStatusCode)status, code);
        };
        await using var node = new Node(AzureLimits.AccountOver(connection, says));
        var registry = new NodeRegistry(node, "alice", token);

        foreach (var path in (string[])["/v1/images/list", "/v2/alice/web/manifests/v1", "/readyz"])
        {
            var headers = path[1..3] == "v1" ? ("Authorization", $"Bearer {token}") : ("Accept", "*/*");
            var reply = await registry.SendAsync("GET", path, headers: headers);
            var expected = status == 0 ? HttpStatusCode.OK : HttpStatusCode.ServiceUnavailable;
            Assert.True(reply.Status == expected, $"{path}: {reply.Status} {reply.Text}");
        }

        Assert.Equal([new Uri(Endpoint(primary, "Blob")).AbsolutePath.Trim('/')], asked.Distinct());
    }

    private static string Endpoint(string connection, string service) =>
        connection.Split(';').Single(p => p.StartsWith($"{service}Endpoint=", StringComparison.Ordinal))[
            $"{service}Endpoint=".Length..
        ];
}
