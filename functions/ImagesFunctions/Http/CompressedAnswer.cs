using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Http;

/// <summary>Metadata of an endpoint: its answers are compressed for clients that accept that.</summary>
internal sealed class CompressedAnswer
{
    private CompressedAnswer() { }

    public static CompressedAnswer Metadata { get; } = new();

    /// <summary>Whether the endpoint of a request has this metadata.</summary>
    public static bool IsWantedBy(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<CompressedAnswer>() is not null;
}
