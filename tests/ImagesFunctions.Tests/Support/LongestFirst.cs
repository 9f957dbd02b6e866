using System.Reflection;
using ImagesFunctions.Tests.Support;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace ImagesFunctions.Tests.Support;

/// <summary>A class that takes long begins early, so that none is left over when all others have ended.</summary>
/// <seealso cref="TakesLongAttribute"/>
public sealed class LongestFirst : ITestCollectionOrderer
{
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(
        IReadOnlyCollection<TTestCollection> testCollections
    )
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderByDescending(c => Seconds(c)).ThenBy(c => c.UniqueID, StringComparer.Ordinal)];

    private static int Seconds(ITestCollection collection) =>
        s_long.FirstOrDefault(l => IsOf(collection, l.Type)).Seconds;

    // A collection that nobody named is a class, and is called "Test collection for <class> (id: …)".
    private static bool IsOf(ITestCollection collection, Type type) =>
        collection.TestCollectionDisplayName.Contains($" {type.FullName} ", StringComparison.Ordinal);

    private static readonly (Type Type, int Seconds)[] s_long =
    [
        .. from type in typeof(LongestFirst).Assembly.GetTypes()
        let takes = type.GetCustomAttribute<TakesLongAttribute>()
        where takes is not null
        select (type, takes.Seconds),
    ];
}

/// <summary>A class of tests that takes many seconds, of processor time or of a time that is what it is about.</summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class TakesLongAttribute(int seconds) : Attribute
{
    /// <summary>How long it takes about, beside others: the order is all that follows from it.</summary>
    public int Seconds => seconds;
}
