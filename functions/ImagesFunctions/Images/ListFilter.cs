using System.Text.Json;
using ImagesFunctions.Oci;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Images;

/// <summary>What a list is asked for. All that is given has to hold; what is not given is not asked for.</summary>
internal sealed record ListFilter
{
    private const int LongestBody = 1024 * 1024;

    /// <summary>The namespace, or null for all that the caller may see.</summary>
    public string? Namespace { get; private init; }

    /// <summary>The app inside the namespace, or null for all of them.</summary>
    public string? App { get; private init; }

    /// <summary>Only images that have a tag.</summary>
    public bool Tagged { get; private init; }

    /// <summary>An image by its repository and digest, or null.</summary>
    public Reference? Digest { get; private init; }

    /// <summary>An image by its repository and tag, or null.</summary>
    public Reference? Tag { get; private init; }

    /// <summary>Reads the query and the body of a request.</summary>
    /// <exception cref="ApiException">400 that names what is malformed or unknown, so that a misspelt filter never lists everything; 413.</exception>
    public static async Task<ListFilter> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var filter = new ListFilter();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (rawName, values) in request.Query)
        {
            // The documentation's curl lines arrive with a stray backslash behind names and values.
            var name = WithoutBackslash(rawName);
            if (values.Count != 1 || !seen.Add(name))
            {
                throw Bad($"The query parameter '{name}' is given more than once.");
            }

            filter = filter.With(name, WithoutBackslash(values[0] ?? ""));
        }

        return await filter.WithBodyAsync(request, cancellationToken);
    }

    private ListFilter With(string name, string value) =>
        name switch
        {
            "namespace" => WithNamespace(value),
            "tagged" => this with
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
            "digest" => WithReference("query parameter", name, value),
            "tag" => WithReference("query parameter", name, value),
            _ => throw Bad($"The query parameter '{name}' is unknown: there are namespace, tagged, digest and tag."),
        };

    private ListFilter WithNamespace(string value)
    {
        if (Repository.IsNamespace(value))
        {
            return this with { Namespace = value };
        }

        return Repository.TryParse(value, out var repository)
            ? this with
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
        var wellFormed = Reference.TryParse(value, out var reference);
        return (name, reference) switch
        {
            ("digest", { Digest: not null }) when wellFormed => Digest is null
                ? this with
                {
                    Digest = reference,
                }
                : throw Bad("'digest' is given twice."),
            ("tag", { Tag: not null }) when wellFormed => Tag is null
                ? this with
                {
                    Tag = reference,
                }
                : throw Bad("'tag' is given twice."),
            ("digest", _) => throw Bad(
                $"The {kind} 'digest' is malformed: use <user>/<app>@sha256:<hex>, or <app>@sha256:<hex> for an official image."
            ),
            _ => throw Bad(
                $"The {kind} '{name}' is malformed: use <user>/<app>:<tag>, or <app>:<tag> for an official image."
            ),
        };
    }

    private async Task<ListFilter> WithBodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var body = await ReadBodyAsync(request, cancellationToken);
        var text = body.AsMemory().Trim(" \t\r\n'"u8);
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
            return WithObject(document.RootElement);
        }
        catch (JsonException error)
        {
            throw Bad($"The body is {Manifest.Describe(error)}.");
        }
        catch (InvalidOperationException)
        {
            // Bytes that are no UTF-8, or half of an escaped surrogate pair.
            throw Bad("The body is not valid JSON: a text is not valid Unicode.");
        }
    }

    private ListFilter WithObject(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw Bad("The body has to be a JSON object with the members digest or tag.");
        }

        var filter = this;
        foreach (var member in root.EnumerateObject())
        {
            if (member.Name is not ("digest" or "tag" or "tagged"))
            {
                throw Bad($"The body's member '{member.Name}' is unknown: there are digest and tag.");
            }

            if (member.Value.ValueKind != JsonValueKind.String)
            {
                throw Bad($"The body's member '{member.Name}' has to be a string.");
            }

            // An older description of the API calls the body's tag `tagged`.
            filter = filter.WithReference(
                "body's member",
                member.Name == "digest" ? "digest" : "tag",
                member.Value.GetString()!
            );
        }

        return filter;
    }

    private static async Task<byte[]> ReadBodyAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await request.Body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (body.Length + read > LongestBody)
            {
                throw new ApiException(
                    StatusCodes.Status413PayloadTooLarge,
                    $"The body is longer than {LongestBody} bytes."
                );
            }

            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }

    private static string WithoutBackslash(string text) => text.EndsWith('\\') ? text[..^1] : text;

    private static ApiException Bad(string message) => new(StatusCodes.Status400BadRequest, message);
}
