using System.Text.Json;
using ImagesFunctions.Http;
using ImagesFunctions.Listing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

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

    /// <summary>The shape of the later generations. Behind a front end the address is not the one that the client used.</summary>
    public static ImageShape Platform(HttpContext context)
    {
        var configuration = context.RequestServices.GetRequiredService<IConfiguration>();
        var host =
            configuration["PublicHost"] is { Length: > 0 } configured ? configured
            : configuration["WEBSITE_HOSTNAME"] is { Length: > 0 } site ? site
            : context.Request.Host.Value ?? "";
        return new ImageShape(true, JsonEncodedText.Encode(host, Requests.Json.Encoder));
    }
}
