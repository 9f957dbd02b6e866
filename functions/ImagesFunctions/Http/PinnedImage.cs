using ImagesFunctions.Oci;

namespace ImagesFunctions.Http;

/// <summary>The name of a pin in both APIs.</summary>
internal static class PinnedImage
{
    /// <summary>The UUID of an image's pin: one image has one pin, and always the same UUID.</summary>
    public static Guid UuidOf(Repository repository, Digest digest) => StableUuid.Of("pin", $"{repository}@{digest}");
}
