using System.Buffers;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Http;

/// <summary>Bodies of requests that are read whole.</summary>
internal static class BoundedBody
{
    private const int BufferSize = 64 * 1024;

    /// <summary>Reads a body whole. The length that the client declares is only used to refuse early.</summary>
    /// <param name="request">The request.</param>
    /// <param name="maxLength">The longest body, in bytes.</param>
    /// <param name="tooLong">The API's error for a longer one.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public static async Task<byte[]> ReadBodyAsync(
        this HttpRequest request,
        int maxLength,
        Func<Exception> tooLong,
        CancellationToken cancellationToken
    )
    {
        if (request.ContentLength == 0)
        {
            return [];
        }

        if (request.ContentLength > maxLength)
        {
            throw tooLong();
        }

        using var body = new MemoryStream();
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (await request.Body.ReadAsync(buffer, cancellationToken) is var read and > 0)
            {
                if (body.Length + read > maxLength)
                {
                    throw tooLong();
                }

                body.Write(buffer, 0, read);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return body.ToArray();
    }
}
