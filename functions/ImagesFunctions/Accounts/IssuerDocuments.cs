using System.Buffers;
using System.Net;
using System.Text;
using Microsoft.IdentityModel.Protocols;

namespace ImagesFunctions.Accounts;

/// <summary>
/// Fetches what an issuer says of itself, within bounds: by TLS or on this machine, without redirects, 200 and at most 512 KiB.
/// Nothing is fetched that no operator has named: the address of an issuer is a trust rule's, that of its keys the issuer's.
/// </summary>
/// <param name="loopback">Whether addresses on this machine may be asked without TLS.</param>
internal sealed class IssuerDocuments(bool loopback) : IDocumentRetriever
{
    /// <summary>The longest document, in bytes.</summary>
    public const int MaxBytes = 512 * 1024;

    private static readonly HttpClient s_http = new(
        new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            MaxResponseHeadersLength = 32,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        }
    )
    {
        // Whoever asks has a deadline.
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <inheritdoc/>
    /// <exception cref="HttpRequestException">The document cannot be had at this address.</exception>
    public async Task<string> GetDocumentAsync(string address, CancellationToken cancel)
    {
        if (!Uri.TryCreate(address, UriKind.Absolute, out var uri) || !TrustCondition.IsAddress(uri, loopback))
        {
            throw new HttpRequestException("an issuer's documents are asked for by https only");
        }

        using var response = await s_http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead, cancel);
        if (response.StatusCode != HttpStatusCode.OK)
        {
            throw new HttpRequestException($"the issuer answered {(int)response.StatusCode}");
        }

        await using var body = await response.Content.ReadAsStreamAsync(cancel);
        var buffer = ArrayPool<byte>.Shared.Rent(MaxBytes + 1);
        try
        {
            var length = await body.ReadAtLeastAsync(buffer, MaxBytes + 1, throwOnEndOfStream: false, cancel);
            return length <= MaxBytes
                ? Encoding.UTF8.GetString(buffer, 0, length)
                : throw new HttpRequestException($"the issuer sent more than {MaxBytes} bytes");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
