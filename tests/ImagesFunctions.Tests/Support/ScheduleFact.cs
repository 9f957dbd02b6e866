using System.Runtime.CompilerServices;
using Xunit.v3;

namespace ImagesFunctions.Tests.Support;

/// <summary>
/// A test that tries many schedules: a process killed, an answer lost, or another process at work at one call to storage after
/// the other. It is explicit: <c>dotnet test</c> says that it was not run, <c>.ci/run</c> runs it in a step of its own (with
/// <c>dotnet test --filter-trait Category=Schedule --explicit on</c>).
/// </summary>
/// <seealso cref="LongFactAttribute"/>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ScheduleFactAttribute : FactAttribute, ITraitAttribute
{
    public ScheduleFactAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line) => Explicit = true;

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Category", "Schedule")];
}

/// <summary>As <see cref="ScheduleFactAttribute"/>, for several data.</summary>
[AttributeUsage(AttributeTargets.Method)]
public sealed class ScheduleTheoryAttribute : TheoryAttribute, ITraitAttribute
{
    public ScheduleTheoryAttribute([CallerFilePath] string? file = null, [CallerLineNumber] int line = -1)
        : base(file, line) => Explicit = true;

    public IReadOnlyCollection<KeyValuePair<string, string>> GetTraits() => [new("Category", "Schedule")];
}
