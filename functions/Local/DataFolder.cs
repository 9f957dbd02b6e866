namespace ImagesFunctions.Local;

/// <summary>The folder of an Azurite's data.</summary>
internal static class DataFolder
{
    /// <summary>Makes it where it is missing, and tries whether it can be written to.</summary>
    /// <param name="chosen">As it was named; null: <c>.data</c> at the root of the clone.</param>
    /// <returns>Its path, without links.</returns>
    /// <exception cref="UsageException">A folder was named that is none, or cannot be made or written to.</exception>
    /// <exception cref="LocalException">The same of the folder that was not named.</exception>
    public static string Open(string? chosen)
    {
        var path = Path.GetFullPath(chosen ?? Places.Data);
        if (File.Exists(path))
        {
            throw Unusable("is a file, not a folder");
        }

        try
        {
            Directory.CreateDirectory(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unusable($"cannot be made ({OneLine.Of(error)})");
        }

        try
        {
            // Azurite would say so too, but only to its log, which is in the folder.
            var probe = Path.Combine(path, $".probe-{Guid.NewGuid():N}");
            File.Create(probe, 1, FileOptions.DeleteOnClose).Dispose();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unusable($"cannot be written to ({OneLine.Of(error)})");
        }

        return Places.Real(path);

        LocalException Unusable(string why) =>
            chosen is null
                ? new LocalException($"The data folder {path} {why}: name another one with --data <folder>")
                : new UsageException($"The data folder {path} {why}: name another one with --data");
    }
}
