using ImagesFunctions.Images;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Fuzz.Targets;

/// <summary>Bodies that pin and unpin images: an item has what it needs, and the only errors are 400 and 413.</summary>
internal static class PinTarget
{
    private const int MaxItems = 1_000;

    public static void Check(byte[] input)
    {
        foreach (var item in Read(input, PinRequest.ReadAsync))
        {
            Holds.True(item.Url is not null, "an item has no address");
            Holds.True(item.Autokill is null || item.Autokill > TimeSpan.Zero, "a pin ends before it begins");
        }

        foreach (var uuid in Read(input, PinRequest.ReadUuidsAsync))
        {
            Holds.True(uuid is not null, "an item has no uuid");
        }
    }

    private static IReadOnlyList<T> Read<T>(
        byte[] body,
        Func<HttpRequest, CancellationToken, Task<IReadOnlyList<T>>> read
    )
    {
        try
        {
            var items = read(ListTarget.Request("", body), CancellationToken.None).GetAwaiter().GetResult();
            Holds.True(items.Count <= MaxItems, "more items than are allowed");
            return items;
        }
        catch (ApiException error)
        {
            Holds.Same(StatusCodes.Status400BadRequest, error.Status, "the status of a refusal");
            return [];
        }
    }
}
