using System.Reflection;

namespace ImagesFunctions.Settings;

/// <summary>Which version of the service this is.</summary>
public static class ProgramVersion
{
    /// <summary>The version and, where it was built from a clone, the commit: <c>1.2.3+c629ac68…</c>.</summary>
    public static string Text { get; } =
        typeof(ProgramVersion)
            .Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()
            ?.InformationalVersion
        ?? "unknown";
}
