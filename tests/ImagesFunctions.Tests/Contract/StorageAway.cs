using System.Net;
using ImagesFunctions.Accounts;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.Operation;

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
        await using var app = await PipelineAlone.StartAsync(PipelineAlone.NoStorage);
        // Whatever is answered, the client holds it against the document.
        using var client = OpenApi.Client(app.Address());
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Authorization = new("Bearer", Credentials.New("alice").Text);

        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
    }
}
