using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>The condition of a push does not hold: nothing was committed.</summary>
public sealed class PreconditionFailedException(string message) : Exception(message);

/// <summary>
/// The condition of a push on the manifest that its URL names now: <c>If-Match</c> and <c>If-None-Match</c> (RFC 9110, 13.1). An ETag
/// is the digest in quotation marks.
/// </summary>
/// <param name="Tag">The tag in the URL; null where the URL has a digest.</param>
/// <param name="Match">The current manifest has to be one of these; null: no such condition.</param>
/// <param name="NoneMatch">The current manifest may not be one of these; null: no such condition.</param>
internal sealed record TagCondition(string? Tag, ETags? Match, ETags? NoneMatch)
{
    /// <summary>Whether it holds in a namespace.</summary>
    /// <param name="view">The namespace; the decision is made again when what is read here changes.</param>
    /// <param name="app">The app.</param>
    /// <param name="pushed">The digest of the pushed manifest.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async Task<bool> HoldsAsync(
        DecisionView view,
        string app,
        Digest pushed,
        CancellationToken cancellationToken
    )
    {
        var image = Tag is null
            ? await view.ImageAsync(app, pushed, cancellationToken)
            : await view.TaggedImageAsync(app, Tag, cancellationToken);
        return HoldsFor(image is { State: ImageState.Complete } ? image.Digest : null);
    }

    /// <summary>Whether it holds while this manifest is the current one; null: there is none.</summary>
    public bool HoldsFor(Digest? current) =>
        (Match is null || Match.Have(current)) && (NoneMatch is null || !NoneMatch.Have(current));
}

/// <summary>The value of <c>If-Match</c> or <c>If-None-Match</c>.</summary>
/// <param name="Any">Whether it is <c>*</c>.</param>
/// <param name="Tags">The ETags, without quotation marks.</param>
internal sealed record ETags(bool Any, IReadOnlySet<string> Tags)
{
    /// <summary>Whether the current manifest is one of them.</summary>
    public bool Have(Digest? current) => current is not null && (Any || Tags.Contains(current.ToString()));
}
