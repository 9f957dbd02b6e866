using System.Text.Json.Serialization;

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

    /// <summary>How many bytes the account may store; null where that is not limited.</summary>
    [JsonIgnore]
    public long? Quota { get; init; }

    /// <summary>
    /// What an account with a quota takes now; null where that is not counted. Less than nothing where a process of an earlier version
    /// has written what it did not count, until the next collection.
    /// </summary>
    [JsonIgnore]
    public (long Bytes, long Blobs)? Now { get; init; }

    /// <summary>All bytes as the collection has left them.</summary>
    public long Collected => Repositories.Sum(r => r.Bytes);

    /// <summary>All bytes: now where the account has a quota, else <see cref="Collected"/>.</summary>
    public long Bytes => Now is { } now ? Math.Max(0, now.Bytes) : Collected;

    /// <summary>All blobs, as <see cref="Bytes"/>.</summary>
    public long Blobs => Now is { } now ? Math.Max(0, now.Blobs) : Repositories.Sum(r => r.Blobs);

    /// <summary>All manifests.</summary>
    public long Images => Repositories.Sum(r => r.Images);

    /// <summary>All tags.</summary>
    public long Tags => Repositories.Sum(r => r.Tags);
}
