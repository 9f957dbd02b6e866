namespace ImagesFunctions.Storage;

/// <summary>What an error of storage means for whoever asked.</summary>
internal enum StorageMeaning
{
    /// <summary>An error of no kind below; a fault of ours, or something new. Nothing is concluded from it.</summary>
    Other,

    /// <summary>The row or blob is not there. The only error that says so.</summary>
    Absent,

    /// <summary>There is a row or blob where none may be.</summary>
    Exists,

    /// <summary>The row or blob has another ETag.</summary>
    Changed,

    /// <summary>The table, container or account is missing, being deleted, or disabled: nothing is known about what is in it.</summary>
    NoStore,

    /// <summary>The blob is there, and a lease, a policy, a legal hold, the archive tier or a running copy keeps it as it is.</summary>
    Held,

    /// <summary>Our identity may not do this.</summary>
    Denied,

    /// <summary>Storage is away, too busy, or has failed.</summary>
    Away,
}
