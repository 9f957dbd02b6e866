using System.Text.Json;
using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using ImagesFunctions.Rows;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Images;

/// <summary>A request that is answered with an error of the Images API.</summary>
/// <param name="status">The HTTP status.</param>
/// <param name="message">What is wrong, and where.</param>
/// <param name="number">The API's own number of the error, where it has one.</param>
internal sealed class ApiException(int status, string message, int? number = null) : Exception(message)
{
    /// <summary>The HTTP status.</summary>
    public int Status => status;

    /// <summary>The challenge of a 401 (RFC 9110, section 11.6.1).</summary>
    public string Challenge { get; init; } = "Bearer";

    /// <summary>A 400.</summary>
    public static ApiException BadRequest(string message) => new(StatusCodes.Status400BadRequest, message);

    /// <summary>One of <see cref="ErrorNumber"/>, or null.</summary>
    public int? Number => number;
}

/// <summary>The numbers that the Images API gives to errors.</summary>
internal static class ErrorNumber
{
    /// <summary>It failed; the message says why.</summary>
    public const int Failed = 4;

    /// <summary>More items than one request may have.</summary>
    public const int TooMany = 5;

    /// <summary>A malformed reference.</summary>
    public const int Invalid = 7;

    /// <summary>The caller can see nothing of this name.</summary>
    public const int NotFound = 8;

    /// <summary>The caller may see it, but not do this.</summary>
    public const int NotAllowed = 14;

    /// <summary>It does not fit into the quota of the account.</summary>
    public const int Quota = 19;
}

/// <summary>The JSON envelope that every answer of the Images API has, and the one place that writes its errors.</summary>
internal static class Envelope
{
    private static readonly string[] OfSuccess = ["Content-Length", "ETag", "Link", "X-Total-Count"];

    /// <summary>How the Images API answers errors.</summary>
    public static readonly IErrorFormat Errors = new ErrorFormat<ApiException>(
        error =>
            error switch
            {
                ApiException api => api,
                AccessDeniedException denied => new ApiException(
                    StatusCodes.Status403Forbidden,
                    denied.Message,
                    ErrorNumber.NotAllowed
                ),
                QuotaExceededException full => new ApiException(
                    StatusCodes.Status403Forbidden,
                    full.Message,
                    ErrorNumber.Quota
                ),
                BadHttpRequestException bad => new ApiException(bad.StatusCode, bad.Message),
                _ => null,
            },
        (status, message) => new ApiException(status, message),
        WriteErrorAsync
    );

    /// <summary>Refuses a method that a route does not have.</summary>
    /// <param name="context">The request.</param>
    /// <param name="methods">The methods of the route.</param>
    /// <param name="hint">A sentence to add to the message.</param>
    /// <exception cref="ApiException">405, with the header <c>Allow</c>.</exception>
    public static void DemandMethod(HttpContext context, string[] methods, string hint = "")
    {
        if (!Answers.HasMethod(context, methods))
        {
            throw new ApiException(
                StatusCodes.Status405MethodNotAllowed,
                $"{context.Request.Path} has no method {context.Request.Method}, only {string.Join(", ", methods)}.{hint}"
            );
        }
    }

    /// <summary>Writes an answer with <c>data</c>, which has one member.</summary>
    /// <param name="context">The request.</param>
    /// <param name="status"><c>success</c>, <c>partial_success</c> or <c>error</c>.</param>
    /// <param name="message">An error message, or null.</param>
    /// <param name="name">The name of the one member.</param>
    /// <param name="items">Its elements.</param>
    /// <param name="write">Writes one of them as a JSON value; may load facts.</param>
    /// <param name="length">The length of the items with their commas, in bytes; null where it is unknown before they are written.</param>
    public static async Task WriteDataAsync<T>(
        HttpContext context,
        string status,
        string? message,
        string name,
        IEnumerable<T> items,
        Func<ResponseBuffer, T, ValueTask> write,
        Func<long?>? length = null
    )
    {
        context.Response.ContentType = "application/json";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        using var body = new ResponseBuffer(context.Response);
        WriteBeginning(body, status, message, name);
        byte[]? end = null;
        if (length?.Invoke() is { } known)
        {
            end = End(context);
            // Compression removes it.
            context.Response.ContentLength = body.Length + known + end.Length;
        }

        var first = true;
        foreach (var item in items)
        {
            if (!first)
            {
                body.Write(","u8);
            }

            first = false;
            await write(body, item);
            if (body.IsFull)
            {
                await body.SendAsync(context.RequestAborted);
            }
        }

        body.Write(end ?? End(context));
        await body.EndAsync(context.RequestAborted);
    }

    /// <summary>Writes the results of a batch, one for each item, with HTTP 200 even if items failed.</summary>
    /// <param name="context">The request.</param>
    /// <param name="results">The results, in the order of the items.</param>
    /// <param name="isFailed">Whether one is an error.</param>
    /// <param name="write">Writes one of them as a JSON value.</param>
    public static Task WriteResultsAsync<T>(
        HttpContext context,
        IReadOnlyCollection<T> results,
        Func<T, bool> isFailed,
        Func<ResponseBuffer, T, ValueTask> write
    )
    {
        var failed = results.Count(isFailed);
        return WriteDataAsync(
            context,
            failed == 0 ? "success"
                : failed == results.Count ? "error"
                : "partial_success",
            failed == 0 ? null : $"{failed} of {results.Count} items failed.",
            "images",
            results,
            write
        );
    }

    /// <summary>Writes an answer whose <c>data</c> is an object of scalars.</summary>
    /// <param name="context">The request.</param>
    /// <param name="write">Writes the members of <c>data</c>.</param>
    public static Task WriteDataAsync(HttpContext context, Action<Utf8JsonWriter> write) =>
        WriteWholeAsync(
            context,
            json =>
            {
                json.WriteString("status", "success");
                json.WriteStartObject("data");
                write(json);
                json.WriteEndObject();
            },
            context.RequestAborted
        );

    // A small envelope, which is not cached.
    private static async Task WriteWholeAsync(
        HttpContext context,
        Action<Utf8JsonWriter> write,
        CancellationToken cancellationToken
    )
    {
        context.Response.ContentType = "application/json";
        context.Response.Headers.CacheControl = "no-store";
        if (HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        using var body = new ResponseBuffer(context.Response);
        WriteObject(
            body,
            json =>
            {
                write(json);
                json.WriteNumber("op_time_us", Microseconds(context));
            }
        );
        await body.EndAsync(cancellationToken);
    }

    private static void WriteBeginning(ResponseBuffer body, string status, string? message, string name)
    {
        body.Write("{\"status\":\""u8);
        body.Write(System.Text.Encoding.UTF8.GetBytes(status));
        if (message is not null)
        {
            body.Write("\",\"message\":\""u8);
            body.Write(JsonEncodedText.Encode(message, Answers.Json.Encoder).EncodedUtf8Bytes);
        }

        body.Write("\",\"data\":{\""u8);
        body.Write(System.Text.Encoding.UTF8.GetBytes(name));
        body.Write("\":["u8);
    }

    private static long Microseconds(HttpContext context) => (long)RequestInfo.Of(context).Elapsed.TotalMicroseconds;

    private static byte[] End(HttpContext context) =>
        System.Text.Encoding.UTF8.GetBytes($"]}},\"op_time_us\":{Microseconds(context)}}}");

    /// <summary>Writes a JSON object into the buffer.</summary>
    public static void WriteObject(ResponseBuffer body, Action<Utf8JsonWriter> write)
    {
        using var json = new Utf8JsonWriter(body, Answers.Json);
        json.WriteStartObject();
        write(json);
        json.WriteEndObject();
    }

    private static Task WriteErrorAsync(HttpContext context, ApiException error)
    {
        context.Response.StatusCode = error.Status;
        foreach (var header in OfSuccess)
        {
            context.Response.Headers.Remove(header);
        }

        if (error.Status == StatusCodes.Status401Unauthorized)
        {
            context.Response.Headers.WWWAuthenticate = error.Challenge;
        }

        return WriteWholeAsync(
            context,
            json =>
            {
                json.WriteString("status", "error");
                json.WriteString("message", error.Message);
                json.WriteStartArray("errors");
                json.WriteStartObject();
                json.WriteNumber("status", error.Status);
                json.WriteString("message", error.Message);
                if (error.Number is { } number)
                {
                    json.WriteNumber("error", number);
                }

                json.WriteEndObject();
                json.WriteEndArray();
            },
            CancellationToken.None
        );
    }
}
