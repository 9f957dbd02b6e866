using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Repositories;

/// <summary>What a push demanded of a manifest as it stood does not hold: nothing was committed.</summary>
public sealed class PreconditionFailedException(string message) : Exception(message);

/// <summary>
/// What a push demands of the manifest that its URL stands for before it replaces it: <c>If-Match</c> and <c>If-None-Match</c>
/// (RFC 9110, 13.1), where an ETag is the digest in quotation marks.
/// </summary>
/// <param name="Tag">The tag in the URL; null where the URL has the digest itself.</param>
/// <param name="Match">One of these has to be what stands there; null: no such demand.</param>
/// <param name="NoneMatch">None of these may be what stands there; null: no such demand.</param>
internal sealed record TagCondition(string? Tag, ETags? Match, ETags? NoneMatch)
{
    /// <summary>Whether it holds for what a namespace has.</summary>
    /// <param name="view">The namespace: a decision that reads here is made again when that changes.</param>
    /// <param name="app">The app.</param>
    /// <param name="pushed">The digest of what is pushed.</param>
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

    /// <summary>Whether it holds while this manifest stands there; null: none does.</summary>
    public bool HoldsFor(Digest? current) =>
        (Match is null || Match.Have(current)) && (NoneMatch is null || !NoneMatch.Have(current));
}

/// <summary>The value of <c>If-Match</c> or <c>If-None-Match</c>.</summary>
/// <param name="Any">Whether it is <c>*</c>.</param>
/// <param name="Tags">The ETags, without quotation marks.</param>
internal sealed record ETags(bool Any, IReadOnlySet<string> Tags)
{
    /// <summary>Whether what stands there is among them.</summary>
    public bool Have(Digest? current) => current is not null && (Any || Tags.Contains(current.ToString()));
}
