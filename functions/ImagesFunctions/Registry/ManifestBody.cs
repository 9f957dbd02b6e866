using System.Buffers;
using ImagesFunctions.Oci;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Registry;

/// <summary>The body of a request that pushes a manifest.</summary>
internal static class ManifestBody
{
    /// <summary>Reads it whole. What a client says of its length is not believed, only used to refuse early.</summary>
    /// <exception cref="RegistryError">413: it is longer than a manifest may be.</exception>
    public static async Task<byte[]> ReadAsync(RegistryRequest request)
    {
        var tooLong = new RegistryError(
            StatusCodes.Status413PayloadTooLarge,
            "SIZE_INVALID",
            $"A manifest has at most {Manifest.MaxContent} bytes."
        );
        if (request.Request.ContentLength > Manifest.MaxContent)
        {
            throw tooLong;
        }

        using var bytes = new MemoryStream();
        var buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
        try
        {
            while (await request.Request.Body.ReadAsync(buffer, request.Stop) is var read and > 0)
            {
                bytes.Write(buffer, 0, read);
                if (bytes.Length > Manifest.MaxContent)
                {
                    throw tooLong;
                }
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return bytes.ToArray();
    }
}
