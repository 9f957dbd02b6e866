using System.Net;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Tests.Storage;

/// <summary>What is an answer of Azure Storage, and what is somebody else's.</summary>
public sealed class StorageAnswersTests
{
    [Theory]
    [InlineData(200, "x-ms-request-id")]
    [InlineData(404, "x-ms-request-id")]
    [InlineData(200, "x-ms-version")]
    [InlineData(200, "Server", "Azurite-Blob/3.37.0")]
    // That somebody is too busy is all that it says.
    [InlineData(503, "Server")]
    [InlineData(429, "Server")]
    public void Storage_signs_what_something_follows_from(int status, string header, string value = "1")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://account.blob.example/images/one");
        using var answer = Answer(status, header, value);

        StorageAnswers.Demand(request, answer);
    }

    [Theory]
    [InlineData(200, "Server")]
    [InlineData(404, "Server")]
    [InlineData(412, "x-ms-client-request-id")]
    // Nothing was asked that could be unchanged.
    [InlineData(304, "x-ms-request-id")]
    public void Anything_else_is_no_answer(int status, string header)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "https://account.blob.example/images/one");
        using var answer = Answer(status, header);

        var error = Assert.Throws<HttpRequestException>(() => StorageAnswers.Demand(request, answer));

        Assert.Contains(
            $"account.blob.example gave no answer of Azure Storage but {status}",
            error.Message,
            StringComparison.Ordinal
        );
        Assert.True(StorageErrors.IsUnclear(error));
    }

    [Theory]
    [InlineData("Retry-After", "3", "3")]
    [InlineData("Retry-After", "5", "5")]
    [InlineData("Retry-After", "6", "5")]
    [InlineData("Retry-After", "Fri, 01 Jan 2100 00:00:00 GMT", "5")]
    [InlineData("retry-after-ms", "1", null)]
    [InlineData("x-ms-retry-after-ms", "1", null)]
    public void No_advice_makes_us_wait_for_long(string header, string said, string? heard)
    {
        using var answer = Answer(503, "x-ms-request-id");
        Assert.True(answer.Headers.TryAddWithoutValidation(header, said));

        StorageAnswers.ShortenPauses(answer);

        Assert.Equal(heard, answer.Headers.TryGetValues(header, out var values) ? Assert.Single(values) : null);
    }

    [Theory]
    [InlineData("GET", "images/alice/web/blobs/sha256/0", true)]
    [InlineData("GET", "images/a?snapshot=2026-01-01T00:00:00.0000000Z", true)]
    [InlineData("GET", "images?restype=container&comp=list", false)]
    [InlineData("GET", "images/a?comp=blocklist", false)]
    [InlineData("HEAD", "images/a", false)]
    [InlineData("PUT", "images/a?comp=block", false)]
    public void Only_blobs_are_long(string method, string path, bool isOfBytes)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), $"https://account.blob.example/{path}");

        Assert.Equal(isOfBytes, StorageAnswers.IsOfBytes(request));
    }

    private static HttpResponseMessage Answer(int status, string header, string value = "1")
    {
        var answer = new HttpResponseMessage((HttpStatusCode)status);
        answer.Headers.TryAddWithoutValidation(header, value);
        return answer;
    }
}
