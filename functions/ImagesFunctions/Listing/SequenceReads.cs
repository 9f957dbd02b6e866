using System.Diagnostics;
using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Listing;

/// <summary>
/// The versions of namespaces that one request needs, none older than the request. They can be prefetched while the request
/// waits for something else. Not thread-safe.
/// </summary>
internal sealed class SequenceReads(RowStore rowStore, CancellationToken cancellationToken)
{
    private readonly Dictionary<string, Task<JournalVersion>> _reads = new(StringComparer.Ordinal);

    /// <summary>When the reads began: a timestamp of <see cref="Stopwatch"/> before all of them.</summary>
    public long Begun { get; } = Stopwatch.GetTimestamp();

    /// <summary>The version of the namespace's last commit; its number is 0 before the first.</summary>
    public Task<JournalVersion> OfAsync(string @namespace)
    {
        if (!_reads.TryGetValue(@namespace, out var read))
        {
            _reads.Add(@namespace, read = rowStore.VersionAsync(@namespace, cancellationToken));
        }

        return read;
    }
}
