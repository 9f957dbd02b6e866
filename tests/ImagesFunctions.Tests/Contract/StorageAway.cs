using System.Net;
using ImagesFunctions.Accounts;
using ImagesFunctions.Storage;
using ImagesFunctions.WorkerStandIns;

namespace ImagesFunctions.Tests.Contract;

public sealed class StorageAway
{
    [Theory]
    [InlineData("GET", "/v1/images/list")]
    [InlineData("HEAD", "/v1/images/list")]
    [InlineData("GET", "/v1/images")]
    [InlineData("GET", "/v1/images/tag/a/b:c")]
    [InlineData("DELETE", "/v1/images/tag/a/b:c")]
    [InlineData("GET", "/v1/images/problems")]
    [InlineData("GET", "/v1/nothing")]
    public async Task Is_503_that_says_when_to_try_again(string method, string path)
    {
        var settings = new Dictionary<string, string?>(StringComparer.Ordinal)
        {
            [StorageAccount.Section] =
                "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=a2V5;BlobEndpoint=http://127.0.0.1:1/a;TableEndpoint=http://127.0.0.1:1/a;",
            ["AzureWebJobs.BlobLanded.Disabled"] = "true",
        };
        await using var app = await FunctionsHost.StartAsync(
            typeof(ImagesFunctions.App.Site).Assembly,
            settings,
            TestContext.Current.CancellationToken
        );
        // Whatever is answered, the client holds it against the document.
        using var client = OpenApi.Client(app.Address);
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Authorization = new("Bearer", Credentials.New("alice").Text);

        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
    }
}
