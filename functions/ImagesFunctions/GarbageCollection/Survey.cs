using ImagesFunctions.Oci;
using ImagesFunctions.Rows;

namespace ImagesFunctions.GarbageCollection;

/// <summary>What is remembered of an image's row.</summary>
internal readonly record struct SeenImage(ImageState State, string Generation);

/// <summary>What is remembered of a blob's row.</summary>
/// <param name="ETag">The <see cref="Fingerprint"/> of the stored blob's ETag.</param>
/// <param name="State">Whether it counts.</param>
/// <param name="IsYoung">Whether what needs it may still be on its way.</param>
internal readonly record struct SeenBlob(UInt128 ETag, BlobState State, bool IsYoung)
{
    /// <summary>See <see cref="BlobRow.IsRemoved"/>.</summary>
    public bool IsRemoved { get; init; }
}

/// <summary>What is remembered of a refusal.</summary>
/// <param name="At">When it was written.</param>
/// <param name="WrongBytes">Whether the bytes are not what the path says.</param>
internal readonly record struct SeenRefusal(DateTimeOffset At, bool WrongBytes);

/// <summary>
/// What the phases of a sweep remember of one namespace's rows, by their <see cref="Fingerprint"/>: less than 200 bytes a row.
/// It is a suspicion, and grows old while the sweep goes on: <see cref="Garbage"/> reads again before it decides.
/// </summary>
internal sealed class Survey
{
    /// <summary>All images.</summary>
    public Dictionary<UInt128, SeenImage> Images { get; } = [];

    /// <summary>Images that a tag points to, or waits for.</summary>
    public HashSet<UInt128> Tagged { get; } = [];

    /// <summary>Tags that wait, each with its image.</summary>
    public HashSet<UInt128> Awaited { get; } = [];

    /// <summary>The rows of blobs of which the list of the container has said nothing yet.</summary>
    public Dictionary<UInt128, SeenBlob> Blobs { get; } = [];

    /// <summary>Blobs and images that a live image needs.</summary>
    public HashSet<UInt128> Needed { get; } = [];

    /// <summary>Manifests that are gone and still have rows of what they need.</summary>
    public HashSet<UInt128> Dependents { get; } = [];

    /// <summary>Refusals by their paths.</summary>
    public Dictionary<UInt128, SeenRefusal> Refusals { get; } = [];

    /// <summary>ETags of applied <c>index.json</c> files of which the list of the container has said nothing yet, by app.</summary>
    public Dictionary<string, string> Layouts { get; } = new(StringComparer.Ordinal);

    /// <summary>Indexes that are deleted or wait.</summary>
    public List<(Repository Repository, Digest Digest)> Indexes { get; } = [];

    /// <summary>What was met of each repository, without what this sweep has removed.</summary>
    public UsageCounts Usage { get; } = new();

    /// <summary>Takes in an image's row.</summary>
    public void Add(ImageHead image)
    {
        Images[Fingerprint.Of(image.App, image.Digest)] = new SeenImage(image.State, image.Generation);
        Usage.Of(image.App).Images += image.State == ImageState.Complete ? 1 : 0;
    }

    /// <summary>Takes out an image that this sweep has removed.</summary>
    public void Forget(string app, Digest digest)
    {
        var image = Fingerprint.Of(app, digest);
        if (Images.Remove(image, out var seen) && seen.State == ImageState.Complete)
        {
            Usage.Of(app).Images--;
        }

        Blobs.Remove(image);
    }

    /// <summary>Whether an image is there, complete or hidden.</summary>
    public bool IsLive(UInt128 image) =>
        Images.TryGetValue(image, out var seen) && seen.State is ImageState.Complete or ImageState.Hidden;
}
