using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Registry;

/// <summary>
/// Redirects pulls of blobs to storage, where <see cref="Name"/> is true. The address of a redirect gives access to one blob for ten
/// minutes.
/// </summary>
internal sealed class PullRedirect(Content content, bool isOn)
{
    /// <summary>The setting's name.</summary>
    public const string Name = "RedirectPulls";

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    public bool IsOn => isOn;

    /// <summary>An address at which a blob can be read without a token.</summary>
    public Task<Uri> ToAsync(BlobPath path, CancellationToken cancellationToken) =>
        content.ReadUriAsync(path, Lifetime, cancellationToken);
}
