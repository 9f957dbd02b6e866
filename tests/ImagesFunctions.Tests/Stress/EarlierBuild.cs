using ImagesFunctions.Tests.Infra;
using ImagesFunctions.Tests.RealImages;

namespace ImagesFunctions.Tests.Stress;

/// <summary>The local program of the version before this one.</summary>
internal static class EarlierBuild
{
    // A whole build of the program and its libraries, the restore of its packages included.
    private static readonly TimeSpan s_allowed = TimeSpan.FromMinutes(20);

    /// <summary>Builds it where that was not done yet, and returns the path of the program.</summary>
    public static async Task<string> MakeAsync() =>
        (await Tool.RunAsync(s_allowed, "bash", Repo.Path("tests/earlier"))).TrimEnd('\n').Split('\n')[^1];
}
