namespace ImagesFunctions.Journal;

/// <summary>Row keys from <paramref name="From"/> up to, and without, <paramref name="To"/>, in ordinal order.</summary>
/// <param name="From">The first key.</param>
/// <param name="To">The first key after the range.</param>
public readonly record struct KeyRange(string From, string To)
{
    /// <summary>All keys with a prefix.</summary>
    /// <param name="prefix">The prefix, which ends with the separator <c>!</c>.</param>
    public static KeyRange Prefix(string prefix) =>
        new(prefix, string.Concat(prefix.AsSpan(0, prefix.Length - 1), "\""));

    /// <summary>Whether a key is in the range.</summary>
    public bool Contains(string key) => string.CompareOrdinal(From, key) <= 0 && string.CompareOrdinal(key, To) < 0;
}
