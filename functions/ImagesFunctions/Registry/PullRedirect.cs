using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Registry;

/// <summary>
/// Sends pulls of blobs to storage itself, where <see cref="Name"/> is true: whoever has the address may read that one
/// blob for ten minutes.
/// </summary>
internal sealed class PullRedirect(Content content, bool isOn)
{
    /// <summary>The setting's name.</summary>
    public const string Name = "RedirectPulls";

    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(10);

    public bool IsOn => isOn;

    /// <summary>Where a blob of the container <c>images</c> can be read without anything else.</summary>
    public Task<Uri> ToAsync(BlobPath path, CancellationToken cancellationToken) =>
        content.ReadUriAsync(path, Lifetime, cancellationToken);
}
