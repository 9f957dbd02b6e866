using Azure.Storage.Blobs.Models;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Blobs;

/// <summary>A stored blob as it stands: its ETag and its length in bytes.</summary>
internal readonly record struct StoredBlob(string ETag, long Size, DateTimeOffset LastModified)
{
    /// <summary>Whether it only stands for a folder, as tools put such blobs there.</summary>
    public bool IsFolder { get; init; }

    /// <summary>Why its bytes cannot be read, as storage's own code; null where they can.</summary>
    public string? Unreadable { get; init; }

    /// <summary>
    /// Why it can be neither removed nor written over, as storage's own code; null where nothing says so. A policy of the whole
    /// container shows only when it is tried.
    /// </summary>
    public string? Unchangeable { get; init; }

    /// <summary>Reads what storage says of a blob.</summary>
    public static StoredBlob Of(BlobProperties properties, DateTimeOffset now) =>
        new(properties.ETag.ToString(), properties.ContentLength, properties.LastModified)
        {
            IsFolder = FolderStub.IsOne(properties.ContentLength, properties.Metadata),
            Unreadable =
                properties.AccessTier != AccessTier.Archive.ToString() ? null
                : string.IsNullOrEmpty(properties.ArchiveStatus) ? StorageCodes.Archived
                : StorageCodes.Rehydrating,
            Unchangeable =
                properties.LeaseStatus == LeaseStatus.Locked ? StorageCodes.Leased
                : properties.HasLegalHold ? StorageCodes.UnderLegalHold
                : properties.ImmutabilityPolicy?.ExpiresOn > now ? StorageCodes.UnderPolicy
                : properties.BlobCopyStatus == CopyStatus.Pending ? StorageCodes.CopiedTo
                : null,
        };
}

/// <summary>A small blob as it stood when it was read.</summary>
/// <param name="ETag">Its ETag.</param>
/// <param name="Bytes">Its bytes; null where they are more than a manifest may have.</param>
internal sealed record SmallBlob(string ETag, byte[]? Bytes);
