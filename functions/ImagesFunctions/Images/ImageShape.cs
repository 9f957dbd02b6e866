using System.Text.Json;
using ImagesFunctions.Http;
using ImagesFunctions.Listing;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Images;

/// <summary>How images are written.</summary>
/// <param name="IsPlatform">Whether it is the shape of the later generations.</param>
/// <param name="Host">The start of an image's address, escaped for JSON.</param>
internal sealed record ImageShape(bool IsPlatform, JsonEncodedText Host)
{
    /// <summary>The shape of the first generation.</summary>
    public static readonly ImageShape V1 = new(false, default);

    /// <summary>Writes an image, which has to be whole.</summary>
    public ValueTask WriteAsync(ResponseBuffer body, ListedImage image, CancellationToken cancellationToken) =>
        IsPlatform
            ? image.WritePlatformAsync(body, Host, cancellationToken)
            : image.WriteV1Async(body, cancellationToken);

    /// <summary>The shape of the later generations.</summary>
    public static ImageShape Platform(HttpContext context) =>
        new(true, JsonEncodedText.Encode(PublicAddress.HostOf(context), Requests.Json.Encoder));
}
