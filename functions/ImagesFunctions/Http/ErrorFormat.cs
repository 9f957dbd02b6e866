using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Http;

/// <summary>How an API answers errors. As metadata of an endpoint it says which API the endpoint belongs to.</summary>
internal interface IErrorFormat
{
    /// <summary>Answers with the API's error that an exception stands for.</summary>
    /// <returns>False when the exception stands for none; nothing is written then.</returns>
    Task<bool> TryWriteAsync(HttpContext context, Exception error);

    /// <summary>Answers with an error of the service.</summary>
    /// <param name="context">The request.</param>
    /// <param name="status">The HTTP status.</param>
    /// <param name="message">One sentence for the caller.</param>
    Task WriteAsync(HttpContext context, int status, string message);
}

/// <summary>An error format whose errors are of one type.</summary>
/// <param name="FromException">The error that an exception stands for; null for an unexpected one.</param>
/// <param name="ServerError">An error of the service, by its HTTP status and a message for the caller.</param>
/// <param name="Write">Writes an error as the answer.</param>
internal sealed record ErrorFormat<TError>(
    Func<Exception, TError?> FromException,
    Func<int, string, TError> ServerError,
    Func<HttpContext, TError, Task> Write
) : IErrorFormat
    where TError : class
{
    /// <inheritdoc/>
    public async Task<bool> TryWriteAsync(HttpContext context, Exception error)
    {
        if (FromException(error) is not { } known)
        {
            return false;
        }

        await Write(context, known);
        return true;
    }

    /// <inheritdoc/>
    public Task WriteAsync(HttpContext context, int status, string message) =>
        Write(context, ServerError(status, message));
}
