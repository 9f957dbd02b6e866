namespace ImagesFunctions.Local;

/// <summary>How this program was called, so that what it tells people to type works when they paste it.</summary>
internal static class TypedCommand
{
    /// <summary>The name of the installed tool.</summary>
    public const string Tool = "images";

    /// <summary>What was typed before the first argument.</summary>
    public static string Text { get; } =
        Of(Environment.ProcessPath, AppContext.BaseDirectory, Environment.CurrentDirectory, Places.Clone);

    /// <summary>As <see cref="Text"/>.</summary>
    /// <param name="process">The path of the process: the tool's own, or that of <c>dotnet</c>.</param>
    /// <param name="program">The folder of the program's files.</param>
    /// <param name="current">The current directory.</param>
    /// <param name="clone">The clone that the program was built in, or null.</param>
    public static string Of(string? process, string program, string current, string? clone)
    {
        if (Path.GetFileNameWithoutExtension(process) == Tool)
        {
            return Tool;
        }

        if (clone is not null)
        {
            return $"dotnet run --project {Quoted(Path.GetRelativePath(current, Path.Combine(clone, "functions", "Local")).Replace('\\', '/'))} --";
        }

        // A local tool of a manifest runs from the folder of packages.
        return program.Replace('\\', '/').Contains("/tools/net", StringComparison.Ordinal)
            ? $"dotnet {Tool}"
            : $"dotnet {Quoted(Path.Combine(program, "ImagesFunctions.Local.dll"))}";
    }

    /// <summary>An argument as a shell takes it for one.</summary>
    public static string Quoted(string argument) =>
        argument.Length > 0
        && argument.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:@,=+~%\\".Contains(c, StringComparison.Ordinal))
            ? argument
            : $"'{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
