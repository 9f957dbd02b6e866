using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Text;
using ImagesFunctions.Http;
using ImagesFunctions.Listing;
using ImagesFunctions.Repositories;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Net.Http.Headers;

namespace ImagesFunctions.Images;

/// <summary>Answers that hold images.</summary>
internal static class ImagesAnswer
{
    public static Task WriteAsync(HttpContext context, IEnumerable<ListPiece> pieces, ImageShape shape)
    {
        var items = pieces.SelectMany(piece => Texts(piece, shape));
        return Envelope.WriteDataAsync(
            context,
            "success",
            message: null,
            "images",
            items,
            async (body, item) =>
                await (
                    item.Text is { } text
                        ? body.WriteAsync(text, context.RequestAborted)
                        : shape.WriteAsync(body, await WholeAsync(context, item.Image!), context.RequestAborted)
                ),
            shape.IsPlatform ? null : () => LengthOf(items)
        );
    }

    // In the shape of the first generation; null when facts have to be loaded first.
    private static long? LengthOf(IEnumerable<(byte[]? Text, ListedImage? Image)> items)
    {
        var length = -1L;
        foreach (var (text, image) in items)
        {
            if (image is { IsWhole: false })
            {
                return null;
            }

            length += 1 + (text?.Length ?? image!.V1Length);
        }

        return Math.Max(0, length);
    }

    // A whole chunk at once where its text is kept, else image by image.
    private static IEnumerable<(byte[]? Text, ListedImage? Image)> Texts(ListPiece piece, ImageShape shape) =>
        !shape.IsPlatform && piece.Chunk?.V1Text() is { } text
            ? [(text, null)]
            : piece.Images.Select(image => ((byte[]?)null, (ListedImage?)image));

    // Sets the headers of a cacheable answer. True when the client has the answer already, and gets 304.
    public static bool IsKnown(HttpContext context, ImageShape shape, string headers, UInt128 images)
    {
        var hash = new XxHash128();
        hash.Append(Encoding.UTF8.GetBytes($"{shape.IsPlatform} {shape.Host} {headers}"));
        hash.Append(MemoryMarshal.AsBytes(new ReadOnlySpan<UInt128>(in images)));
        // Weak: `op_time_us` differs each time.
        var etag = new EntityTagHeaderValue($"\"{hash.GetCurrentHashAsUInt128():x32}\"", isWeak: true);
        context.Response.Headers.ETag = etag.ToString();
        context.Response.Headers.CacheControl = "private, no-cache";
        context.Response.Headers.Vary = "Authorization, Accept-Encoding";
        if (context.Request.IsKnown(etag))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return true;
        }

        return false;
    }

    public static ValueTask<ListedImage> WholeAsync(HttpContext context, ListedImage image) =>
        image.IsWhole
            ? ValueTask.FromResult(image)
            : new ValueTask<ListedImage>(
                image.WholeAsync(context.RequestServices.GetRequiredService<ImageRows>(), context.RequestAborted)
            );

    public static ImageLists Lists(HttpContext context) => context.RequestServices.GetRequiredService<ImageLists>();
}
