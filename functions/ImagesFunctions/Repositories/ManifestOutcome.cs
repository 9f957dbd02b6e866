using ImagesFunctions.Oci;

namespace ImagesFunctions.Repositories;

/// <summary>Where a manifest stands after a try to commit it.</summary>
internal enum ManifestState
{
    /// <summary>Nobody says that it is a manifest, or its blob is not there.</summary>
    Unknown,

    /// <summary>Something that it needs is missing.</summary>
    Waiting,

    /// <summary>It is no valid manifest.</summary>
    Refused,

    /// <summary>It was committed before.</summary>
    Already,

    /// <summary>It was committed now.</summary>
    Committed,

    /// <summary>The rows that say what it needs were swept, because its own blob had been gone.</summary>
    Forgotten,

    /// <summary>What the push demanded of what it replaces does not hold.</summary>
    Unmatched,
}

/// <summary>What came of a try to commit a manifest.</summary>
/// <param name="State">Where it stands.</param>
internal sealed record ManifestOutcome(ManifestState State)
{
    /// <summary>Whether what it needs was not known before.</summary>
    public bool IsNew { get; init; }

    /// <summary>The manifests that need one that is committed.</summary>
    public IReadOnlyList<Digest> Dependents { get; init; } = [];

    /// <summary>What an index that waits names.</summary>
    public IReadOnlyList<Digest> Children { get; init; } = [];
}
