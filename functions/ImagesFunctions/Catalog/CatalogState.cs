using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using ImagesFunctions.Journal;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Catalog;

/// <summary>What the catalog knows of a namespace after a commit: the rows that bytes do not say, and the images that were deleted.</summary>
internal sealed class CatalogState
{
    private const string Format = "catalog 1";

    /// <summary>The number of the last commit that it includes; 0 before the first.</summary>
    public long Seq { get; set; }

    /// <summary>The version of that commit; null where it is not known.</summary>
    public VersionTag? Tag { get; set; }

    /// <summary>The commit.</summary>
    public JournalVersion Version => new(Seq, Tag);

    /// <summary>By the keys of rows: what <see cref="CatalogRow"/> keeps of them.</summary>
    public SortedDictionary<string, string> Rows { get; } = new(StringComparer.Ordinal);

    /// <summary>The deleted images by their keys.</summary>
    public SortedDictionary<string, DeletedImage> Deleted { get; } = new(StringComparer.Ordinal);

    /// <summary>Whether there is an image of this key that is not deleted.</summary>
    public bool HasImage(string key) => Rows.TryGetValue(key, out var row) && !IsGone(key, row);

    /// <summary>Takes in the next commit; one that it includes already changes nothing.</summary>
    /// <exception cref="InvalidDataException">There are others between the two.</exception>
    public void Apply(CatalogEntry entry)
    {
        if (entry.Seq <= Seq)
        {
            return;
        }

        if (entry.From > Seq)
        {
            throw new InvalidDataException($"the commits between {Seq} and {entry.From} are missing");
        }

        foreach (var (key, row) in entry.Rows)
        {
            switch (key[0])
            {
                case 'i':
                    SetImage(key, row, entry.At);
                    break;
                case 'j':
                    // An index.json that is applied anew names what was deleted before as good as anything.
                    NameAgain(key);
                    Set(key, row);
                    break;
                default:
                    Set(key, row);
                    break;
            }
        }

        (Seq, Tag) = (entry.Seq, entry.Tag);
    }

    private void SetImage(string key, string? row, DateTimeOffset at)
    {
        var before = Rows.GetValueOrDefault(key);
        Set(key, row);
        if (!IsGone(key, row))
        {
            Deleted.Remove(DeletedImage.KeyOf(key));
        }
        else if (before is not null && DeletedImage.Of(key, before, at) is { } deleted)
        {
            Deleted.TryAdd(deleted.Key, deleted);
        }
    }

    private static bool IsGone(string key, string? row) =>
        row is null || ImageHead.StateOf(RowText.Read(key, row)) == ImageState.Deleted;

    private void NameAgain(string layoutKey)
    {
        var range = DeletedImage.OfLayout(layoutKey);
        foreach (var (key, deleted) in Deleted.Where(d => range.Contains(d.Key)).ToList())
        {
            if (deleted.ETag is null)
            {
                Deleted.Remove(key);
            }
            else
            {
                Deleted[key] = deleted with { IsNamed = false };
            }
        }
    }

    private void Set(string key, string? row)
    {
        if (row is null)
        {
            Rows.Remove(key);
        }
        else
        {
            Rows[key] = row;
        }
    }

    /// <summary>The bytes of a checkpoint: compressed lines, a row each, and a last one that tells whether all are there.</summary>
    public BinaryData Write()
    {
        using var bytes = new MemoryStream();
        using (var compressed = new GZipStream(bytes, CompressionLevel.Fastest, leaveOpen: true))
        using (var buffered = new BufferedStream(compressed, 64 * 1024))
        {
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            void Line(string text)
            {
                var line = Encoding.UTF8.GetBytes(text + "\n");
                hash.AppendData(line);
                buffered.Write(line);
            }

            Line(string.Create(CultureInfo.InvariantCulture, $"{Format}\t{Seq}\t{Tag?.Text}"));
            foreach (var (key, row) in Rows)
            {
                Line($"{key}\t{row}");
            }

            foreach (var (key, deleted) in Deleted)
            {
                Line($"{key}\t{deleted.Write()}");
            }

            Line($"end\t{Convert.ToHexStringLower(hash.GetCurrentHash())}");
        }

        return BinaryData.FromBytes(bytes.ToArray());
    }

    /// <summary>Reads a checkpoint.</summary>
    /// <exception cref="InvalidDataException">It is damaged, or of another version.</exception>
    public static CatalogState Read(byte[] bytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var reader = new StreamReader(
            new GZipStream(new MemoryStream(bytes), CompressionMode.Decompress),
            Encoding.UTF8
        );
        var state = new CatalogState();
        var isFirst = true;
        while (reader.ReadLine() is { } line)
        {
            var tab = line.IndexOf('\t', StringComparison.Ordinal);
            var (key, rest) = tab < 0 ? (line, "") : (line[..tab], line[(tab + 1)..]);
            if (isFirst)
            {
                state.Begin(key, rest);
            }
            else if (key == "end")
            {
                return rest == Convert.ToHexStringLower(hash.GetCurrentHash())
                    ? state
                    : throw new InvalidDataException("its checksum is wrong");
            }
            else if (DeletedImage.IsKey(key))
            {
                state.Deleted[key] = DeletedImage.Read(key, rest);
            }
            else if (!state.Rows.TryAdd(key, rest))
            {
                // Before its checksum could tell: no checkpoint has a row twice.
                throw new InvalidDataException($"the row {key} stands twice");
            }

            isFirst = false;
            hash.AppendData(Encoding.UTF8.GetBytes(line + "\n"));
        }

        throw new InvalidDataException("its end is missing");
    }

    private void Begin(string format, string rest)
    {
        var parts = rest.Split('\t');
        if (
            format != Format
            || parts.Length != 2
            || !long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
        )
        {
            throw new InvalidDataException("it is no catalog of a version that this program reads");
        }

        (Seq, Tag) = (seq, parts[1].Length == 0 ? null : new VersionTag(parts[1]));
    }
}
