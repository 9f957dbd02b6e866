using System.Collections.Concurrent;

namespace ImagesFunctions.Tests.Stress;

/// <summary>What happened, for the report of a run.</summary>
internal sealed class Tally
{
    private readonly ConcurrentDictionary<string, int> _counts = new(StringComparer.Ordinal);

    public int this[string what] => _counts.GetValueOrDefault(what);

    public void Add(string what) => _counts.AddOrUpdate(what, 1, (_, count) => count + 1);

    public void Most(string what, int count) => _counts.AddOrUpdate(what, count, (_, most) => Math.Max(most, count));

    public override string ToString() =>
        string.Join(
            ", ",
            _counts.ToArray().OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => $"{c.Value} {c.Key}")
        );
}
