using ImagesFunctions.Oci;

namespace ImagesFunctions.Repositories;

/// <summary>The state of a manifest after a try to commit it.</summary>
internal enum ManifestState
{
    /// <summary>Nothing names it as a manifest, or its blob is missing.</summary>
    Unknown,

    /// <summary>A dependency is missing.</summary>
    Waiting,

    /// <summary>It is not a valid manifest.</summary>
    Refused,

    /// <summary>It was committed before.</summary>
    Already,

    /// <summary>It was committed now.</summary>
    Committed,

    /// <summary>The rows of its dependencies were swept, because its own blob was missing for a while.</summary>
    Forgotten,

    /// <summary>The condition of the push does not hold.</summary>
    Unmatched,
}

/// <summary>What came of a try to commit a manifest.</summary>
/// <param name="State">Where it stands.</param>
internal sealed record ManifestOutcome(ManifestState State)
{
    /// <summary>Whether the rows of its dependencies are new.</summary>
    public bool IsNew { get; init; }

    /// <summary>The manifests that need one that is committed.</summary>
    public IReadOnlyList<Digest> Dependents { get; init; } = [];

    /// <summary>What an index that waits names.</summary>
    public IReadOnlyList<Digest> Children { get; init; } = [];
}
