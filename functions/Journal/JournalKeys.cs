using System.Globalization;

namespace ImagesFunctions.Journal;

/// <summary>The keys of the rows that a journal adds to its partition.</summary>
public static class JournalKeys
{
    /// <summary>The row that holds the partition's sequence number.</summary>
    public const string Version = "v";

    /// <summary>The keys of all entries.</summary>
    public static KeyRange Entries { get; } = KeyRange.Prefix("c!");

    /// <summary>The key of a commit's entry. Keys sort as numbers do.</summary>
    public static string Entry(long seq) => "c!" + seq.ToString("D19", CultureInfo.InvariantCulture);
}
