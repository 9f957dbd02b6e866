namespace ImagesFunctions.Blobs;

/// <summary>Blobs that only stand for a folder: Storage Explorer, AzCopy and accounts with a hierarchical namespace mark them.</summary>
internal static class FolderStub
{
    /// <summary>Whether a blob of this length and with these metadata is one.</summary>
    public static bool IsOne(long? size, IDictionary<string, string>? metadata) =>
        size == 0
        && metadata?.Any(m =>
            string.Equals(m.Key, "hdi_isfolder", StringComparison.OrdinalIgnoreCase)
            && string.Equals(m.Value, "true", StringComparison.OrdinalIgnoreCase)
        ) == true;
}
