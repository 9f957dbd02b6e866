using System.Diagnostics;
using ImagesFunctions.Journal;
using ImagesFunctions.Rows;

namespace ImagesFunctions.Listing;

/// <summary>
/// The versions of namespaces that one request needs, none older than the request. What it will probably need can be
/// asked for ahead, while something else is waited for. Not for use by several threads at once.
/// </summary>
internal sealed class SequenceReads(RowStore rowStore, CancellationToken cancellationToken)
{
    private readonly Dictionary<string, Task<JournalVersion>> _reads = new(StringComparer.Ordinal);

    /// <summary>When the request began, which is before any of these reads.</summary>
    public long Begun { get; } = Stopwatch.GetTimestamp();

    /// <summary>The version of the namespace's last commit; of number 0 before its first one.</summary>
    public Task<JournalVersion> OfAsync(string @namespace)
    {
        if (!_reads.TryGetValue(@namespace, out var read))
        {
            _reads.Add(@namespace, read = rowStore.VersionAsync(@namespace, cancellationToken));
        }

        return read;
    }
}
