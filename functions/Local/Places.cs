namespace ImagesFunctions.Local;

/// <summary>Where things are. Nothing depends on the caller's current directory, unless the program runs outside of a clone.</summary>
internal static class Places
{
    /// <summary>The clone that the program was built in; null where it is installed or published.</summary>
    public static string? Clone => Above(AppContext.BaseDirectory);

    /// <summary>The folder that holds <c>ImagesFunctions.sln</c>: above the program, else above the current directory.</summary>
    public static string Root =>
        Clone
        ?? Above(Environment.CurrentDirectory)
        ?? throw new LocalException(
            "ImagesFunctions.sln was found neither above the program nor above the current directory: run this inside a clone"
        );

    /// <summary>Azurite's data, log and address: in the clone, where git ignores it, else in the current directory.</summary>
    public static string Data =>
        Path.Combine(Clone ?? Above(Environment.CurrentDirectory) ?? Environment.CurrentDirectory, ".data");

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

    /// <summary>Holds the package.json of Azurite and its lock: those of the clone, else those that the program was packed with.</summary>
    public static string AzuritePackage =>
        Clone is { } clone
            ? Path.Combine(clone, "functions", "Local", "azurite")
            : Path.Combine(AppContext.BaseDirectory, "azurite");

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
