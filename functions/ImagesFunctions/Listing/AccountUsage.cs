namespace ImagesFunctions.Listing;

/// <summary>What a repository takes.</summary>
/// <param name="App">The app.</param>
/// <param name="Bytes">The bytes of its verified blobs: layers, configs and manifests.</param>
/// <param name="Blobs">How many these are.</param>
/// <param name="Images">Its complete manifests, of images, of indexes and of anything else, with or without a tag.</param>
/// <param name="Tags">Its tags, without those that wait for their image.</param>
public sealed record RepositoryUsage(string App, long Bytes, long Blobs, long Images, long Tags);

/// <summary>What an account takes, as the last collection of its garbage has left it.</summary>
/// <param name="At">When that counted, by the storage service's clock; null before the first one.</param>
/// <param name="Repositories">Its repositories in the order of their names; each has blobs of its own.</param>
public sealed record AccountUsage(DateTimeOffset? At, IReadOnlyList<RepositoryUsage> Repositories)
{
    /// <summary>That of an account whose garbage was never collected.</summary>
    public static AccountUsage None { get; } = new(null, []);

    /// <summary>All bytes.</summary>
    public long Bytes => Repositories.Sum(r => r.Bytes);

    /// <summary>All blobs.</summary>
    public long Blobs => Repositories.Sum(r => r.Blobs);

    /// <summary>All manifests.</summary>
    public long Images => Repositories.Sum(r => r.Images);

    /// <summary>All tags.</summary>
    public long Tags => Repositories.Sum(r => r.Tags);
}
