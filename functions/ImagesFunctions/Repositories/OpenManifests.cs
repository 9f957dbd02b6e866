using ImagesFunctions.Oci;

namespace ImagesFunctions.Repositories;

/// <summary>
/// The manifests that are still to be tried, each once, in order: an index comes after its children, however many of them are
/// committed.
/// </summary>
internal sealed class OpenManifests
{
    private readonly OrderedDictionary<Digest, bool> _queue = [];
    private readonly HashSet<Digest> _expand;
    private readonly HashSet<Digest> _expanded;
    private readonly HashSet<Digest> _lookedUp = [];

    /// <summary>Starts with these: see <see cref="ManifestCommit.CommitReadyAsync"/>.</summary>
    public OpenManifests(IEnumerable<Digest> changed, IEnumerable<Digest> dependents)
    {
        _expand = [.. changed];
        _expanded = [.. _expand];
        Add(_expand.Concat(dependents));
    }

    /// <summary>Takes the next ones, at most so many; none when all were tried.</summary>
    public Digest[] Take(int max)
    {
        Digest[] batch = [.. _queue.Keys.Take(max)];
        Array.ForEach(batch, digest => _queue.Remove(digest));
        return batch;
    }

    /// <summary>Adds manifests that may be complete now.</summary>
    public void Add(IEnumerable<Digest> digests)
    {
        foreach (var digest in digests)
        {
            _queue.TryAdd(digest, true);
        }
    }

    /// <summary>Takes what came of a try.</summary>
    public void Add(Digest digest, ManifestOutcome outcome)
    {
        if (_expand.Remove(digest) || outcome.IsNew)
        {
            // At any depth: a process that wrote the dependencies of an inner index may have been killed right after that.
            _expand.UnionWith(outcome.Children.Where(_expanded.Add));
            Add(outcome.Children);
        }

        // Also when it was committed before: whoever did may have been killed before looking further.
        if (outcome.State == ManifestState.Committed || _lookedUp.Add(digest))
        {
            Add(outcome.Dependents);
        }
    }
}
