using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Registry;

/// <summary>The page of a sorted list that a request asks for (spec, "Listing Tags").</summary>
/// <param name="Size">The maximum number of items; <see cref="MaxSize"/> where the request has none.</param>
/// <param name="Last">Only items that sort after this, which need not exist; "" for the first page.</param>
internal readonly record struct Page(int Size, string Last)
{
    /// <summary>The maximum number of items of one answer; a link leads to the next page.</summary>
    public const int MaxSize = 10_000;

    /// <summary>Parses <c>n</c> and <c>last</c>.</summary>
    /// <exception cref="RegistryError"><c>n</c> is not a number.</exception>
    public static Page Of(HttpRequest request)
    {
        var size = MaxSize;
        if (request.Query.TryGetValue("n", out var n))
        {
            var text = n[0] ?? "";
            if (text.Length == 0 || text.AsSpan().ContainsAnyExceptInRange('0', '9'))
            {
                throw RegistryError.BadQuery("n", text);
            }

            // More digits than fit ask for the maximum.
            size = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                ? number
                : MaxSize;
        }

        return new Page(Math.Min(size, MaxSize), request.Query["last"].ToString());
    }

    /// <summary>Takes the page out of what a sorted list has behind <see cref="Last"/>, and says where it goes on.</summary>
    public IReadOnlyList<string> Take(IEnumerable<string> behind, HttpResponse response, string path)
    {
        var page = behind.Take(Size + 1).ToList();
        if (page.Count <= Size)
        {
            return page;
        }

        page.RemoveAt(Size);
        if (Size > 0)
        {
            response.Headers.Link = string.Create(
                CultureInfo.InvariantCulture,
                $"<{path}?n={Size}&last={Uri.EscapeDataString(page[^1])}>; rel=\"next\""
            );
        }

        return page;
    }
}
