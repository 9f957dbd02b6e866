using System.Net;
using System.Net.Http.Headers;

namespace ImagesFunctions.Storage;

/// <summary>
/// Tells answers of Azure Storage from those that somebody else gives in its place: a proxy, a gateway, the page of a network that
/// wants a login, a server that an old entry in the DNS names. Such an answer says nothing of what is stored, whatever its status is.
/// </summary>
internal static class StorageAnswers
{
    // Each answer of either service has both (learn.microsoft.com: "Status and error codes", "Get Blob", "Query Entities").
    private static readonly string[] s_signs = ["x-ms-request-id", "x-ms-version"];

    // What the SDK takes for the time until its next try, however long that is.
    private static readonly string[] s_pauses = ["retry-after-ms", "x-ms-retry-after-ms"];

    /// <summary>Whether an answer has what each answer of storage has. Azurite leaves it out where it gives a key to an identity.</summary>
    public static bool IsSigned(HttpResponseMessage answer) =>
        Array.Exists(s_signs, answer.Headers.Contains)
        || answer.Headers.Server.Any(server => server.Product?.Name is "Azurite-Blob");

    /// <summary>Makes sure that storage has answered, and that the answer can be one to the request.</summary>
    /// <exception cref="HttpRequestException">It was somebody else, or it answers what was not asked.</exception>
    public static void Demand(HttpRequestMessage request, HttpResponseMessage answer)
    {
        // From an error that says "not now" nothing is concluded, whoever gave it.
        if (StorageCodes.SaysAway((int)answer.StatusCode) || (IsSigned(answer) && !IsUnasked(request, answer)))
        {
            return;
        }

        using (answer)
        {
            var type = answer.Content.Headers.ContentType?.MediaType ?? "no media type";
            throw new HttpRequestException(
                $"{request.RequestUri?.Host} gave no answer of Azure Storage but {(int)answer.StatusCode} with {type}"
            );
        }
    }

    /// <summary>Takes advice to wait for long out of an answer: somebody may be waiting for us.</summary>
    public static void ShortenPauses(HttpResponseMessage answer)
    {
        if (answer.Headers.RetryAfter is { } after && !(after.Delta <= StorageClientOptions.MaxDelay))
        {
            answer.Headers.RetryAfter = new RetryConditionHeaderValue(StorageClientOptions.MaxDelay);
        }

        foreach (var name in s_pauses)
        {
            answer.Headers.Remove(name);
        }
    }

    /// <summary>Whether an answer to a request to the blob service has bytes of a blob, of which there may be very many.</summary>
    public static bool IsOfBytes(HttpRequestMessage request) =>
        request.Method == HttpMethod.Get
        && request.RequestUri?.Query is { } query
        && !query.Contains("comp=", StringComparison.Ordinal)
        && !query.Contains("restype=", StringComparison.Ordinal);

    // We keep nothing of which storage could say that it is unchanged.
    private static bool IsUnasked(HttpRequestMessage request, HttpResponseMessage answer) =>
        answer.StatusCode == HttpStatusCode.NotModified
        && request.Headers.IfNoneMatch.Count == 0
        && request.Headers.IfModifiedSince is null;
}
