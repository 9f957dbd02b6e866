namespace ImagesFunctions.Local;

/// <summary>Where things are in the clone. Nothing depends on the caller's current directory, unless the app runs outside of a clone.</summary>
internal static class Places
{
    /// <summary>The folder that holds <c>ImagesFunctions.sln</c>: above the program, else above the current directory.</summary>
    public static string Root =>
        Above(AppContext.BaseDirectory)
        ?? Above(Environment.CurrentDirectory)
        ?? throw new LocalException(
            "ImagesFunctions.sln was found neither above the program nor above the current directory: run this inside a clone, or set ImagesStorage"
        );

    /// <summary>Git-ignored: Azurite's data, log and address.</summary>
    public static string Data => Path.Combine(Root, ".data");

    /// <summary>The full path without links, so that a folder has one name, however it was called.</summary>
    public static string Real(string path)
    {
        var full = Path.GetFullPath(path);
        var real = Path.GetPathRoot(full)!;
        foreach (
            var part in full[real.Length..].Split(Path.DirectorySeparatorChar, StringSplitOptions.RemoveEmptyEntries)
        )
        {
            real = Path.Combine(real, part);
            if (new DirectoryInfo(real).ResolveLinkTarget(returnFinalTarget: true) is { } target)
            {
                real = Real(target.FullName);
            }
        }

        return real;
    }

    /// <summary>Whether two real paths name one folder.</summary>
    public static bool AreSame(string one, string other) =>
        string.Equals(
            one,
            other,
            OperatingSystem.IsLinux() ? StringComparison.Ordinal : StringComparison.OrdinalIgnoreCase
        );

    /// <summary>Holds the committed package.json and its lock.</summary>
    public static string AzuritePackage => Path.Combine(Root, "functions", "Local", "azurite");

    /// <summary>A program on PATH, with its full path, or null.</summary>
    public static string? Program(string name)
    {
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(
            Path.PathSeparator,
            StringSplitOptions.RemoveEmptyEntries
        );
        string[] endings = OperatingSystem.IsWindows() ? [".exe", ".cmd"] : [""];
        return folders
            .SelectMany(folder => endings.Select(ending => Path.Combine(folder, name + ending)))
            .FirstOrDefault(File.Exists);
    }

    private static string? Above(string start)
    {
        for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ImagesFunctions.sln")))
            {
                return folder.FullName;
            }
        }

        return null;
    }
}
