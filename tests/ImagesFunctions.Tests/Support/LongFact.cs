using System.Runtime.CompilerServices;
using Xunit.v3;

namespace ImagesFunctions.Tests.Support;

/// <summary>
/// A test that takes minutes. It is explicit: <c>dotnet test</c> says that it was not run, <c>.ci/long</c> runs it (with
/// <c>dotnet test --filter-trait Category=Long --explicit on</c>; the filter alone would still leave explicit tests out).
/// </summary>
/// <remarks>
/// These are options of Microsoft.Testing.Platform, which global.json chooses: with xunit.v3 4 on the SDK of .NET 10,
/// <c>dotnet test</c> refuses to run by VSTest.
/// </remarks>
[AttributeUsage(AttributeTargets.Method)]
public sealed class LongFactAttribute : FactAttribute, ITraitAttribute
{
    public LongFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line) => Explicit = true;

    /// <summary>Whether the test that runs is one of these: it tries everything, where a plain test takes samples.</summary>
    public static bool IsRunning =>
        TestContext.Current.TestCase?.Traits.TryGetValue("Category", out var categories) == true
        && categories.Contains("Long");

    /// <summary>Of many calls to storage, each how many-th is tried: all of them in a test that takes minutes.</summary>
    /// <param name="sample">In a plain test, which begins at a random one, so that runs one after the other try all of them.</param>
    public static int Every(int sample) => IsRunning ? 1 : sample;

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Category", "Long")];
}
