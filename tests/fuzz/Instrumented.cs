namespace ImagesFunctions.Fuzz;

/// <summary>Which code tells afl-fuzz the ways that it takes.</summary>
internal static class Instrumented
{
    /// <summary>
    /// The assemblies, and the types of each, by their full names. The decoder of zstd is one of them: it is unsafe code that
    /// reads what anybody sends. Code of the framework is compiled ahead, and cannot be instrumented.
    /// </summary>
    public static IReadOnlyList<(string File, Func<string, bool> Types)> Assemblies { get; } =
    [
        ("ImagesFunctions.Oci.dll", _ => true),
        ("ImagesFunctions.dll", IsOfTargets),
        ("ZstdSharp.dll", _ => true),
        ("ImagesFunctions.Fuzz.dll", name => name == typeof(Planted).FullName),
    ];

    private static bool IsOfTargets(string name) =>
        ((string[])["Accounts", "Blobs", "Http", "Images", "Registry", "Repositories", "Streams"]).Any(folder =>
            name.StartsWith($"ImagesFunctions.{folder}.", StringComparison.Ordinal)
        );
}

/// <summary>A fault that only one input of 2^40 shows: found in moments with coverage, and never without.</summary>
internal static class Planted
{
    /// <summary>Checks that an input does not begin with "fault".</summary>
    /// <exception cref="PropertyBrokenException">It does.</exception>
    public static void Check(byte[] input)
    {
        // Each letter is a branch of its own, so that coverage tells them apart.
        if (input is [(byte)'f', (byte)'a', (byte)'u', (byte)'l', (byte)'t', ..])
        {
            throw new PropertyBrokenException("The planted fault is found.");
        }
    }
}
