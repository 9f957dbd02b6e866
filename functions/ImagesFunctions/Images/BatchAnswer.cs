using System.IO.Hashing;
using System.Runtime.InteropServices;
using ImagesFunctions.Accounts;
using ImagesFunctions.Http;
using ImagesFunctions.Listing;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Images;

/// <summary>The answer to a list whose body names several images: one element for each.</summary>
internal static class BatchAnswer
{
    public static async Task WriteAsync(
        HttpContext context,
        Access access,
        ListFilter all,
        IReadOnlyList<BatchItem> batch,
        ImageShape shape
    )
    {
        var results = await ResultsAsync(context, access, all, batch);
        // The items are part of the ETag: the answer depends on the body of the GET, and failures repeat its text.
        if (
            ImagesAnswer.IsKnown(
                context,
                shape,
                $"{shape.PinsOver(results.Select(r => r.Image).OfType<ListedImage>())} {string.Join('\n', batch)}",
                HashOf(results.Select(r => r.Image))
            )
        )
        {
            return;
        }

        await Envelope.WriteResultsAsync(
            context,
            results,
            result => result.Image is null,
            async (body, result) =>
            {
                if (result.Image is null)
                {
                    WriteFailure(body, result.Item);
                    return;
                }

                await shape.WriteAsync(
                    body,
                    await ImagesAnswer.WholeAsync(context, result.Image),
                    context.RequestAborted
                );
            }
        );
    }

    private static async Task<List<(BatchItem Item, ListedImage? Image)>> ResultsAsync(
        HttpContext context,
        Access access,
        ListFilter all,
        IReadOnlyList<BatchItem> batch
    )
    {
        var wellFormed = batch.Where(i => i.MalformedMember is null).ToList();
        var found = new Queue<ListedImage?>(
            await ImagesAnswer
                .Lists(context)
                .FindAsync(
                    access,
                    wellFormed.ConvertAll(i => i.Filter(all)),
                    ListRoute.Sequences(context, access),
                    context.RequestAborted
                )
        );
        return [.. batch.Select(item => (item, item.MalformedMember is null ? found.Dequeue() : null))];
    }

    private static UInt128 HashOf(IEnumerable<ListedImage?> images)
    {
        var hash = new XxHash128();
        foreach (var image in images)
        {
            var imageHash = image?.Hash ?? 0;
            hash.Append(MemoryMarshal.AsBytes(new ReadOnlySpan<UInt128>(in imageHash)));
        }

        return hash.GetCurrentHashAsUInt128();
    }

    private static void WriteFailure(ResponseBuffer body, BatchItem item) =>
        Envelope.WriteObject(
            body,
            json =>
            {
                var malformed = item.MalformedMember;
                json.WriteString("status", "error");
                json.WriteString(
                    "message",
                    malformed is null
                        ? $"No image with name '{item.Name}'"
                        : $"The item's member '{malformed}' {BatchItem.Malformed(malformed)}"
                );
                json.WriteNumber("error", malformed is null ? ErrorNumber.NotFound : ErrorNumber.Invalid);
                if (item.DigestText is not null)
                {
                    json.WriteString("digest", item.DigestText);
                }

                if (item.TagText is not null)
                {
                    json.WriteString("tag", item.TagText);
                }
            }
        );
}
