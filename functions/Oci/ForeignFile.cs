namespace ImagesFunctions.Oci;

/// <summary>
/// Files that other tools leave in a container beside the files of layouts, and that mean nothing here: they are neither taken
/// in nor refused.
/// </summary>
public static class ForeignFile
{
    // Files of `docker save` and of file managers.
    private static readonly string[] Names = ["manifest.json", "repositories", ".DS_Store", "Thumbs.db", "desktop.ini"];

    /// <summary>Whether the last part of a path says so. A path that ends in a slash stands for a folder.</summary>
    public static bool IsOne(string path)
    {
        var name = path[(path.LastIndexOf('/') + 1)..];
        return name.Length == 0
            || name.StartsWith("._", StringComparison.Ordinal)
            || Names.Contains(name, StringComparer.Ordinal);
    }
}
