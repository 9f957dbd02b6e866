using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Images;

/// <summary>One image to pin.</summary>
/// <param name="Url">Its URL as it was sent.</param>
/// <param name="Autokill">How long the pin holds; null: until it is unpinned.</param>
internal sealed record PinItem(string Url, TimeSpan? Autokill);

/// <summary>Parses the bodies that pin and unpin images. An unknown or ill-typed member is 400, and the message names item and member.</summary>
internal static class PinRequest
{
    private const int MaxItems = 1_000;
    private const long MaxAutokillMilliseconds = 3_155_760_000_000; // a hundred years

    private static readonly string[] s_policies = ["always", "if_not_present", "never"];

    /// <summary>Parses the images to pin. Nothing is fetched from elsewhere, so most members are checked and ignored.</summary>
    public static Task<IReadOnlyList<PinItem>> ReadAsync(HttpRequest request, CancellationToken cancellationToken) =>
        ReadAsync(request, PinOf, cancellationToken);

    /// <summary>Parses the UUIDs of the pins to remove; they are returned as text.</summary>
    public static Task<IReadOnlyList<string>> ReadUuidsAsync(
        HttpRequest request,
        CancellationToken cancellationToken
    ) => ReadAsync(request, UuidOf, cancellationToken);

    private static async Task<IReadOnlyList<T>> ReadAsync<T>(
        HttpRequest request,
        Func<JsonElement, string, T> item,
        CancellationToken cancellationToken
    ) =>
        await RequestBody.ReadAsync(request, root => Items(root, item), empty: null, cancellationToken)
        ?? throw ApiException.BadRequest("The body is empty: it has to be an array.");

    private static IReadOnlyList<T>? Items<T>(JsonElement root, Func<JsonElement, string, T> item)
    {
        if (root.ValueKind != JsonValueKind.Array)
        {
            throw ApiException.BadRequest("The body has to be an array.");
        }

        return root.GetArrayLength() <= MaxItems
            ?
            [
                .. root.EnumerateArray()
                    .Select(
                        (element, i) =>
                            element.ValueKind == JsonValueKind.Object
                                ? item(element, $"Item {i} of the body")
                                : throw ApiException.BadRequest($"Item {i} of the body has to be an object.")
                    ),
            ]
            : throw new ApiException(
                StatusCodes.Status400BadRequest,
                $"The body has {root.GetArrayLength()} items: {MaxItems} are allowed.",
                ErrorNumber.TooMany
            );
    }

    private static PinItem PinOf(JsonElement element, string item)
    {
        string? url = null;
        var hasTimeout = false;
        TimeSpan? autokill = null;
        foreach (var member in element.EnumerateObject())
        {
            var value = member.Value;
            var isGood = member.Name switch
            {
                "url" => (url = TextOf(value)) is not null,
                "credentials" => TextOf(value) is not null,
                "headers" => value.ValueKind == JsonValueKind.Object
                    && value.EnumerateObject().All(h => TextOf(h.Value) is not null),
                "pull_policy" => s_policies.Contains(TextOf(value), StringComparer.Ordinal),
                "merge_requests" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
                "timeout_s" => hasTimeout = WholeOf(value) is >= -1 and not 0,
                "autokill" => TryAutokill(value, out autokill),
                _ => throw ApiException.BadRequest(
                    $"{item}: the member '{member.Name}' is unknown: there are url, credentials, headers, pull_policy, "
                        + "timeout_s, merge_requests and autokill."
                ),
            };
            if (!isGood)
            {
                throw ApiException.BadRequest($"{item}: the member '{member.Name}' {Rule(member.Name)}.");
            }
        }

        return url is null ? throw ApiException.BadRequest($"{item}: the member 'url' is missing.")
            : !hasTimeout ? throw ApiException.BadRequest($"{item}: the member 'timeout_s' is missing.")
            : new PinItem(url, autokill);
    }

    private static string UuidOf(JsonElement element, string item)
    {
        string? uuid = null;
        foreach (var member in element.EnumerateObject())
        {
            uuid =
                member.Name != "uuid"
                    ? throw ApiException.BadRequest(
                        $"{item}: the member '{member.Name}' is unknown: an image is unpinned by its uuid only."
                    )
                    : TextOf(member.Value)
                        ?? throw ApiException.BadRequest($"{item}: the member 'uuid' has to be a string.");
        }

        return uuid ?? throw ApiException.BadRequest($"{item}: the member 'uuid' is missing.");
    }

    // { "time_ms": 0 } is none.
    private static bool TryAutokill(JsonElement value, out TimeSpan? autokill)
    {
        autokill = null;
        if (
            value.ValueKind != JsonValueKind.Object
            || value.EnumerateObject().Any(m => m.Name != "time_ms")
            || !value.TryGetProperty("time_ms", out var time)
            || WholeOf(time) is not { } milliseconds
            || milliseconds is < 0 or > MaxAutokillMilliseconds
        )
        {
            return false;
        }

        autokill = milliseconds > 0 ? TimeSpan.FromMilliseconds(milliseconds) : null;
        return true;
    }

    private static string Rule(string member) =>
        member switch
        {
            "headers" => "has to be an object of strings",
            "pull_policy" => $"has to be one of {string.Join(", ", s_policies)}",
            "merge_requests" => "has to be true or false",
            "timeout_s" => "has to be a whole number of seconds, not 0; -1 is the longest there is",
            "autokill" => $"has to be an object with time_ms, a whole number of 0 to {MaxAutokillMilliseconds}",
            _ => "has to be a string",
        };

    private static string? TextOf(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static long? WholeOf(JsonElement value) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;
}
