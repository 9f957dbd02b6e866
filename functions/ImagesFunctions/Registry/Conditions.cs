using ImagesFunctions.Repositories;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace ImagesFunctions.Registry;

/// <summary>Reads the conditions of a request that changes a manifest (RFC 9110, 13.1).</summary>
internal static class Conditions
{
    /// <summary>The conditions of a push, or null where it has none.</summary>
    /// <param name="request">The request.</param>
    /// <param name="tag">The tag in its URL; null where that has a digest.</param>
    /// <exception cref="RegistryError">400: a header that cannot be read must not pass for none.</exception>
    public static TagCondition? Of(HttpRequest request, string? tag)
    {
        var match = Read(HeaderNames.IfMatch, request.Headers.IfMatch, strong: true);
        var noneMatch = Read(HeaderNames.IfNoneMatch, request.Headers.IfNoneMatch, strong: false);
        return match is null && noneMatch is null ? null : new TagCondition(tag, match, noneMatch);
    }

    /// <summary>What is answered when it does not hold.</summary>
    public static RegistryError Failed(string reference) =>
        new(
            StatusCodes.Status412PreconditionFailed,
            "UNKNOWN",
            "If-Match or If-None-Match does not hold: somebody else was first. Nothing was changed.",
            reference
        );

    // A weak ETag never matches strongly (13.1.1).
    private static ETags? Read(string name, StringValues values, bool strong)
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
