using ImagesFunctions.Repositories;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace ImagesFunctions.Registry;

/// <summary>The conditions of a request that changes a manifest (RFC 9110, 13.1).</summary>
internal static class Conditions
{
    /// <summary>Parses the conditions of a push; null where it has none.</summary>
    /// <param name="request">The request.</param>
    /// <param name="tag">The tag in the URL; null where the URL has a digest.</param>
    /// <exception cref="RegistryError">400: a malformed header must not count as none.</exception>
    public static TagCondition? Of(HttpRequest request, string? tag)
    {
        var match = Parse(HeaderNames.IfMatch, request.Headers.IfMatch, strong: true);
        var noneMatch = Parse(HeaderNames.IfNoneMatch, request.Headers.IfNoneMatch, strong: false);
        return match is null && noneMatch is null ? null : new TagCondition(tag, match, noneMatch);
    }

    /// <summary>The error for a condition that does not hold.</summary>
    public static RegistryError Failed(string reference) =>
        new(
            StatusCodes.Status412PreconditionFailed,
            "UNKNOWN",
            "If-Match or If-None-Match does not hold: somebody else was first. Nothing was changed.",
            reference
        );

    // A weak ETag never matches strongly (13.1.1).
    private static ETags? Parse(string name, StringValues values, bool strong)
    {
        if (values.Count == 0)
        {
            return null;
        }

        if (!EntityTagHeaderValue.TryParseStrictList(values, out var tags) || tags.Count == 0)
        {
            throw RegistryError.BadQuery(name, values.ToString());
        }

        return new ETags(
            tags.Any(t => t.Equals(EntityTagHeaderValue.Any)),
            tags.Where(t => !(strong && t.IsWeak))
                .Select(t => t.Tag.ToString().Trim('"'))
                .ToHashSet(StringComparer.Ordinal)
        );
    }
}
