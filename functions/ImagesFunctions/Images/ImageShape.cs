using System.Text.Json;
using ImagesFunctions.Http;
using ImagesFunctions.Listing;
using ImagesFunctions.Storage;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Images;

/// <summary>The shape in which images are written.</summary>
/// <param name="IsPlatform">Whether it is the shape of the later generations.</param>
/// <param name="Host">The start of an image's address, escaped for JSON.</param>
/// <param name="Now">The time of the answer.</param>
internal sealed record ImageShape(bool IsPlatform, JsonEncodedText Host, DateTimeOffset Now)
{
    /// <summary>The shape of the first generation.</summary>
    public static readonly ImageShape V1 = new(false, default, default);

    /// <summary>Writes an image, which has to be whole.</summary>
    public ValueTask WriteAsync(ResponseBuffer body, ListedImage image, CancellationToken cancellationToken) =>
        IsPlatform
            ? image.WritePlatformAsync(body, Host, Now, cancellationToken)
            : image.WriteV1Async(body, cancellationToken);

    /// <summary>The shape of the later generations.</summary>
    public static ImageShape Platform(HttpContext context) =>
        new(
            true,
            JsonEncodedText.Encode(PublicAddress.HostOf(context), Answers.Json.Encoder),
            context.RequestServices.GetRequiredService<StorageClock>().UtcNow
        );

    /// <summary>The number of images whose pin has expired: the answer changes then without a commit.</summary>
    public int PinsOver(IEnumerable<ListedImage> images) =>
        IsPlatform ? images.Count(image => image.Row.Pin?.HoldsAt(Now) == false) : 0;
}
