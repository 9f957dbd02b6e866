using System.Text;
using ImagesFunctions.Images;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Tests.Images;

/// <summary>What is read from the query and the body of a request to a list.</summary>
internal static class Requested
{
    /// <summary>A digest of no image in particular.</summary>
    public static readonly string Digest = "sha256:" + new string('a', 64);

    public static Task<ListFilter> ReadAsync(string query, string body) =>
        ReadAsync(query, Encoding.UTF8.GetBytes(body));

    public static async Task<ListFilter> ReadAsync(string query, byte[] body) =>
        (await RequestAsync(query, body)).Filter;

    public static Task<ListRequest> RequestAsync(string query, string body, bool ofLaterGeneration = false) =>
        RequestAsync(query, Encoding.UTF8.GetBytes(body), ofLaterGeneration);

    public static Task<ListRequest> RequestAsync(string query, byte[] body, bool ofLaterGeneration = false)
    {
        var context = new DefaultHttpContext();
        context.Request.QueryString = new QueryString(query);
        context.Request.Body = new MemoryStream(body);
        return ListRequest.ReadAsync(context.Request, ofLaterGeneration, TestContext.Current.CancellationToken);
    }
}
