using ImagesFunctions.Oci;

namespace ImagesFunctions.Repositories;

/// <summary>
/// The manifests that are still to be tried, each once, in order: an index comes after its children, however many of them are
/// committed.
/// </summary>
internal sealed class OpenManifests
{
    private readonly OrderedDictionary<Digest, bool> _queue = [];
    private readonly HashSet<Digest> _refused = [];
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

    /// <summary>The digests that are not valid manifests.</summary>
    public IReadOnlySet<Digest> Refused => _refused;

    /// <summary>Takes the next manifests; none when all were tried.</summary>
    /// <param name="max">How many to take at most.</param>
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

    /// <summary>Takes the result of a try.</summary>
    /// <returns>Whether the dependents of this manifest have to be added.</returns>
    public bool Add(Digest digest, ManifestOutcome outcome)
    {
        if (outcome.State == ManifestState.Refused)
        {
            _refused.Add(digest);
        }

        if (_expand.Remove(digest) || outcome.IsNew)
        {
            // At any depth: a process that wrote the dependencies of an inner index may have been killed right after that.
            _expand.UnionWith(outcome.Children.Where(_expanded.Add));
            Add(outcome.Children);
        }

        // Also when it was committed before: the process that did it may have been killed before it looked further.
        return outcome.State == ManifestState.Committed
            || (outcome.State == ManifestState.Already && _lookedUp.Add(digest));
    }
}
