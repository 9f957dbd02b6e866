using System.Globalization;
using System.Text.Json;
using ImagesFunctions.Oci;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Images;

/// <summary>A parsed request for a list: a query, and no body, an object or an array.</summary>
internal sealed record ListRequest
{
    private const int MaxItems = 1_000;
    private const int MaxImages = 1_000;

    /// <summary>The filter; for a batch, the filter of all its items.</summary>
    public ListFilter Filter { get; private init; } = new();

    /// <summary>The items of a batch, each of which has one result; or null.</summary>
    public IReadOnlyList<BatchItem>? Batch { get; private init; }

    /// <summary>In later generations: repeated digests and tags, any of which may match; else empty.</summary>
    public IReadOnlyList<ListFilter> AnyOf { get; private init; } = [];

    /// <summary>The maximum number of images; null for all.</summary>
    public int? Limit { get; private init; }

    /// <summary>Only images after this one, by repository and digest; or null.</summary>
    public Reference? After { get; private init; }

    /// <summary>Parses the query and the body of a request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="ofLaterGeneration">Whether parameters of later generations are allowed.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    /// <exception cref="ApiException">400 that names what is malformed or unknown, so that a misspelt filter never lists everything; 413.</exception>
    public static async Task<ListRequest> ReadAsync(
        HttpRequest request,
        bool ofLaterGeneration,
        CancellationToken cancellationToken
    )
    {
        var list = new ListRequest();
        foreach (var (name, values) in QueryParameters.All(request))
        {
            if (ofLaterGeneration && name is "digest" or "tag" && values.Length > 1)
            {
                list = list.WithAnyOf(name, values);
            }
            else if (!ofLaterGeneration || !QueryParameters.IsIgnored(name))
            {
                list = list.With(name, QueryParameters.Single(name, values));
            }
        }

        list = await RequestBody.ReadAsync(request, list.WithBody, empty: list, cancellationToken);
        return list.AnyOf.Count > 0 ? list.WithoutOtherSelection() : list;
    }

    /// <summary>A filter by a namespace, or by one app of it.</summary>
    /// <exception cref="ApiException">400: it is malformed.</exception>
    public static ListFilter NamespaceFilter(string value) => new ListRequest().WithNamespace(value);

    private ListRequest WithAnyOf(string name, string[] values)
    {
        if (values.Length > MaxItems)
        {
            throw BadRequest($"The query parameter '{name}' is given {values.Length} times: {MaxItems} are allowed.");
        }

        var filters = values.Select(value => new ListRequest().WithReference("query parameter", name, value));
        return this with { AnyOf = [.. AnyOf, .. filters] };
    }

    // A single reference beside repeated ones counts as one of them.
    private ListRequest WithoutOtherSelection()
    {
        if (Batch is not null || Limit is not null || After is not null)
        {
            throw BadRequest(
                "The query parameters limit and after, and a body, do not go with digest or tag given several times."
            );
        }

        ListFilter[] single =
        [
            .. Filter.Digest is null ? [] : new[] { new ListFilter { Digest = Filter.Digest } },
            .. Filter.Tag is null ? [] : new[] { new ListFilter { Tag = Filter.Tag } },
        ];
        return this with { Filter = Filter with { Digest = null, Tag = null }, AnyOf = [.. AnyOf, .. single] };
    }

    private ListRequest With(string name, string value) =>
        name switch
        {
            "namespace" => this with { Filter = WithNamespace(value) },
            "tagged" => this with { Filter = Filter with { Tagged = QueryParameters.Flag(name, value) } },
            "digest" or "tag" => this with { Filter = WithReference("query parameter", name, value) },
            "limit" => this with
            {
                Limit =
                    int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var limit)
                    && limit is >= 1 and <= MaxImages
                        ? limit
                        : throw BadRequest($"The query parameter 'limit' has to be a number from 1 to {MaxImages}."),
            },
            "after" => this with
            {
                After =
                    Reference.TryParse(value, out var after) && after.Digest is not null
                        ? after
                        : throw BadRequest(
                            "The query parameter 'after' is malformed: use the digest of the last image before, as the list shows it."
                        ),
            },
            _ => throw BadRequest(
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
            : throw BadRequest(
                "The query parameter 'namespace' is malformed: use <user>, <user>/<app>, official or official/<app>."
            );
    }

    private ListFilter WithReference(string kind, string name, string value)
    {
        var given = name == "digest" ? Filter.Digest : Filter.Tag;
        var reference =
            BatchItem.Parse(name, value) ?? throw BadRequest($"The {kind} '{name}' {BatchItem.Malformed(name)}");
        return (name, given) switch
        {
            (_, not null) => throw BadRequest($"'{name}' is given twice."),
            ("digest", _) => Filter with { Digest = reference },
            _ => Filter with { Tag = reference },
        };
    }

    private ListRequest WithBody(JsonElement root) =>
        root.ValueKind switch
        {
            JsonValueKind.Object => WithObject(root),
            JsonValueKind.Array => WithBatch(root),
            _ => throw BadRequest(
                "The body has to be a JSON object with the members digest or tag, or an array of such."
            ),
        };

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
        if (count > MaxItems)
        {
            throw new ApiException(
                StatusCodes.Status400BadRequest,
                $"The body has {count} items: {MaxItems} are allowed.",
                ErrorNumber.TooMany
            );
        }

        if (Filter.IsForOne || Limit is not null || After is not null)
        {
            throw BadRequest("The query parameters digest, tag, limit and after do not go with an array in the body.");
        }

        var items = new List<BatchItem>(count);
        foreach (var element in root.EnumerateArray())
        {
            var kind = $"Item {items.Count} of the body";
            if (element.ValueKind != JsonValueKind.Object)
            {
                throw BadRequest($"{kind} has to be an object with the member digest or tag.");
            }

            var item = new BatchItem();
            foreach (var (name, value) in Members(element, $"{kind}: the member"))
            {
                item = item.With(name, value) ?? throw BadRequest($"{kind}: '{name}' is given twice.");
            }

            items.Add(
                item == new BatchItem()
                    ? throw BadRequest($"{kind} is empty: it needs the member digest or tag.")
                    : item
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
                _ => throw BadRequest($"{kind} '{member.Name}' is unknown: there are digest and tag."),
            };
            yield return member.Value.ValueKind == JsonValueKind.String
                ? (name, member.Value.GetString()!)
                : throw BadRequest($"{kind} '{member.Name}' has to be a string.");
        }
    }

    private static ApiException BadRequest(string message) => ApiException.BadRequest(message);
}
