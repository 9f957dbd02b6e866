using System.Globalization;
using System.Text.Json;
using ImagesFunctions.Oci;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Images;

/// <summary>What a list is asked for, in one of the forms that clients send: a query, and with it no body, an object or an array.</summary>
internal sealed record ListRequest
{
    private const int LongestBody = 1024 * 1024;
    private const int MostItems = 1_000;
    private const int MostImages = 1_000;

    // What later clients add to their lists, and what makes no difference here.
    private static readonly string[] Ignored = ["details", "metro"];

    /// <summary>Which images; for a batch, what all its items are subject to.</summary>
    public ListFilter Filter { get; private init; } = new();

    /// <summary>The items of a batch, each of which has one answer; or null.</summary>
    public IReadOnlyList<BatchItem>? Batch { get; private init; }

    /// <summary>The most images of the answer, or null for all.</summary>
    public int? Limit { get; private init; }

    /// <summary>Only images that come behind this one, by repository and digest, or null.</summary>
    public Reference? After { get; private init; }

    /// <summary>Reads the query and the body of a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="ofLaterGeneration">Whether parameters that only later generations have are let pass.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ApiException">400 that names what is malformed or unknown, so that a misspelt filter never lists everything; 413.</exception>
    public static async Task<ListRequest> ReadAsync(
        HttpRequest request,
        bool ofLaterGeneration,
        CancellationToken cancellationToken
    )
    {
        var list = new ListRequest();
        foreach (var (name, value) in Query(request))
        {
            if (!ofLaterGeneration || !Ignored.Contains(name, StringComparer.Ordinal))
            {
                list = list.With(name, value);
            }
        }

        return list.WithBody(await ReadBodyAsync(request, cancellationToken));
    }

    /// <summary>Reads the query of a request that has no filters.</summary>
    /// <exception cref="ApiException">400 that names a parameter that is unknown or repeated.</exception>
    public static void CheckQuery(HttpRequest request, bool ofLaterGeneration)
    {
        foreach (var (name, _) in Query(request))
        {
            if (!ofLaterGeneration || !Ignored.Contains(name, StringComparer.Ordinal))
            {
                throw Bad($"The query parameter '{name}' is unknown: this route has none.");
            }
        }
    }

    /// <summary>The query with one value a name.</summary>
    public static IEnumerable<(string Name, string Value)> Query(HttpRequest request)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (rawName, values) in request.Query)
        {
            // The documentation's curl lines arrive with a stray backslash behind names and values.
            var name = WithoutBackslash(rawName);
            yield return values.Count == 1 && seen.Add(name)
                ? (name, WithoutBackslash(values[0] ?? ""))
                : throw Bad($"The query parameter '{name}' is given more than once.");
        }
    }

    private ListRequest With(string name, string value) =>
        name switch
        {
            "namespace" => this with { Filter = WithNamespace(value) },
            "tagged" => this with
            {
                Filter = Filter with
                {
                    Tagged = value switch
                    {
                        "" or "true" or "1" => true,
                        "false" or "0" => false,
                        _ => throw Bad(
                            "The query parameter 'tagged' is a flag: leave its value out, or use true or false."
                        ),
                    },
                },
            },
            "digest" or "tag" => this with { Filter = WithReference("query parameter", name, value) },
            "limit" => this with
            {
                Limit =
                    int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
                    && limit is >= 1 and <= MostImages
                        ? limit
                        : throw Bad($"The query parameter 'limit' has to be a number from 1 to {MostImages}."),
            },
            "after" => this with
            {
                After =
                    Reference.TryParse(value, out var after) && after.Digest is not null
                        ? after
                        : throw Bad(
                            "The query parameter 'after' is malformed: use the digest of the last image before, as the list shows it."
                        ),
            },
            _ => throw Bad(
                $"The query parameter '{name}' is unknown: there are namespace, tagged, digest, tag, limit and after."
            ),
        };

    private ListFilter WithNamespace(string value)
    {
        if (Repository.IsNamespace(value))
        {
            return Filter with { Namespace = value };
        }

        return Repository.TryParse(value, out var repository)
            ? Filter with
            {
                Namespace = repository.Namespace,
                App = repository.App,
            }
            : throw Bad(
                "The query parameter 'namespace' is malformed: use <user>, <user>/<app>, official or official/<app>."
            );
    }

    private ListFilter WithReference(string kind, string name, string value)
    {
        var given = name == "digest" ? Filter.Digest : Filter.Tag;
        var reference = BatchItem.Parse(name, value) ?? throw Bad($"The {kind} '{name}' {BatchItem.Malformed(name)}");
        return (name, given) switch
        {
            (_, not null) => throw Bad($"'{name}' is given twice."),
            ("digest", _) => Filter with { Digest = reference },
            _ => Filter with { Tag = reference },
        };
    }

    private ListRequest WithBody(byte[] body)
    {
        var text = SingleQuotes.ToJson(body);
        if (text.IsEmpty)
        {
            return this;
        }

        try
        {
            using var document = JsonDocument.Parse(
                text,
                new JsonDocumentOptions { MaxDepth = 8, AllowDuplicateProperties = false }
            );
            return document.RootElement.ValueKind switch
            {
                JsonValueKind.Object => WithObject(document.RootElement),
                JsonValueKind.Array => WithBatch(document.RootElement),
                _ => throw Bad("The body has to be a JSON object with the members digest or tag, or an array of such."),
            };
        }
        catch (JsonException error)
        {
            throw Bad($"The body is {ManifestJson.Describe(error)}.");
        }
        catch (InvalidOperationException)
        {
            // Bytes that are no UTF-8, or half of an escaped surrogate pair.
            throw Bad("The body is not valid JSON: a text is not valid Unicode.");
        }
    }

    private ListRequest WithObject(JsonElement root)
    {
        var list = this;
        foreach (var (name, value) in Members(root, "The body's member"))
        {
            list = list with { Filter = list.WithReference("body's member", name, value) };
        }

        return list;
    }

    private ListRequest WithBatch(JsonElement root)
    {
        var count = root.GetArrayLength();
        if (count > MostItems)
        {
            throw new ApiException(
                StatusCodes.Status400BadRequest,
                $"The body has {count} items: {MostItems} are allowed.",
                ErrorNumber.TooMany
            );
        }

        if (Filter.IsForOne || Limit is not null || After is not null)
        {
            throw Bad("The query parameters digest, tag, limit and after do not go with an array in the body.");
        }

        var items = new List<BatchItem>(count);
        foreach (var element in root.EnumerateArray())
        {
            var kind = $"Item {items.Count} of the body";
            if (element.ValueKind != JsonValueKind.Object)
            {
                throw Bad($"{kind} has to be an object with the member digest or tag.");
            }

            var item = new BatchItem();
            foreach (var (name, value) in Members(element, $"{kind}: the member"))
            {
                item = item.With(name, value) ?? throw Bad($"{kind}: '{name}' is given twice.");
            }

            items.Add(
                item == new BatchItem() ? throw Bad($"{kind} is empty: it needs the member digest or tag.") : item
            );
        }

        return this with
        {
            Batch = items,
        };
    }

    // An older description of the API calls the tag `tagged`.
    private static IEnumerable<(string Name, string Value)> Members(JsonElement element, string kind)
    {
        foreach (var member in element.EnumerateObject())
        {
            var name = member.Name switch
            {
                "digest" => "digest",
                "tag" or "tagged" => "tag",
                _ => throw Bad($"{kind} '{member.Name}' is unknown: there are digest and tag."),
            };
            yield return member.Value.ValueKind == JsonValueKind.String
                ? (name, member.Value.GetString()!)
                : throw Bad($"{kind} '{member.Name}' has to be a string.");
        }
    }

    private static async Task<byte[]> ReadBodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        if (request.ContentLength > LongestBody)
        {
            throw TooLong();
        }

        if (request.ContentLength == 0)
        {
            return [];
        }

        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await request.Body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (body.Length + read > LongestBody)
            {
                throw TooLong();
            }

            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }

    private static string WithoutBackslash(string text) => text.EndsWith('\\') ? text[..^1] : text;

    private static ApiException TooLong() =>
        new(StatusCodes.Status413PayloadTooLarge, $"The body is longer than {LongestBody} bytes.");

    private static ApiException Bad(string message) => new(StatusCodes.Status400BadRequest, message);
}
