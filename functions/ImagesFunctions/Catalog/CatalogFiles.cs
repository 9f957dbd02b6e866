using System.Globalization;
using ImagesFunctions.Journal;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Catalog;

/// <summary>Where a namespace's journal ends.</summary>
/// <param name="ETag">The journal's ETag; null where there is none.</param>
/// <param name="Length">Its length in bytes.</param>
/// <param name="Version">The last commit that the catalog has.</param>
/// <param name="Checkpoint">The length of the checkpoint, in bytes.</param>
internal sealed record CatalogEnd(string? ETag, long Length, JournalVersion Version, long Checkpoint)
{
    // From then on a checkpoint costs less than what is read otherwise.
    private const long MaxLength = 1024 * 1024;
    private const int MaxBlocks = 20_000;

    /// <summary>How often was added to the journal.</summary>
    public int Blocks { get; init; }

    /// <summary>Whether a checkpoint is to take the journal's place.</summary>
    public bool IsLong => Length > Math.Max(MaxLength, Checkpoint) || Blocks > MaxBlocks;
}

/// <summary>A catalog as it was read.</summary>
/// <param name="State">What it says.</param>
/// <param name="Journal">The journal's ETag; null where there is none.</param>
/// <param name="Checkpoint">The checkpoint's ETag; null where there is none.</param>
internal sealed record CatalogRead(CatalogState State, string? Journal, string? Checkpoint);

/// <summary>
/// The catalog of a namespace in the container <c>catalog</c>: a checkpoint, which is written whole, and a journal of the commits since
/// then, which only grows. The journal is read before the checkpoint, and a checkpoint is written before the journal goes that it
/// makes needless: so whoever reads the two finds all commits up to one.
/// </summary>
internal sealed class CatalogFiles(StorageAccount account)
{
    private const string Folder = "namespaces/";
    private const string SeqName = "seq";
    private const string TagName = "tag";

    // Longer than nearly every line.
    private const long End = 64 * 1024;

    private readonly CatalogBlobs _blobs = new(account);

    /// <summary>The namespaces that have a catalog.</summary>
    public async Task<SortedSet<string>> NamespacesAsync(CancellationToken cancellationToken)
    {
        var all = new SortedSet<string>(StringComparer.Ordinal);
        await foreach (var path in _blobs.PathsAsync(Folder, cancellationToken))
        {
            all.Add(path[Folder.Length..].Split('/')[0]);
        }

        return all;
    }

    /// <summary>Reads a catalog; null where the namespace has none.</summary>
    /// <exception cref="InvalidDataException">It is damaged: the message says which blob, and where.</exception>
    public async Task<CatalogRead?> ReadAsync(string @namespace, CancellationToken cancellationToken)
    {
        var journal = await _blobs.ReadAsync(Journal(@namespace), cancellationToken);
        var checkpoint = await _blobs.ReadAsync(Checkpoint(@namespace), cancellationToken);
        if (journal is null && checkpoint is null)
        {
            return null;
        }

        var path = Checkpoint(@namespace);
        try
        {
            var state = checkpoint is null ? new CatalogState() : CatalogState.Read(checkpoint.Bytes);
            path = Journal(@namespace);
            foreach (var entry in EntriesIn(journal?.Bytes ?? []))
            {
                state.Apply(entry);
            }

            return new CatalogRead(state, journal?.ETag, checkpoint?.ETag);
        }
        catch (InvalidDataException error)
        {
            throw new InvalidDataException(
                $"The blob {path} of the container catalog is damaged: {error.Message}",
                error
            );
        }
    }

    /// <summary>Where the journal ends; null where the namespace has no catalog, or a damaged end.</summary>
    public async Task<CatalogEnd?> EndAsync(string @namespace, CancellationToken cancellationToken)
    {
        var journal = await _blobs.ReadEndAsync(Journal(@namespace), End, cancellationToken);
        var last = journal is { Length: > 0 } ? LastIn(journal) : null;
        if (journal is { Length: > 0, IsWhole: false } && last is null)
        {
            journal = await _blobs.ReadAsync(Journal(@namespace), cancellationToken);
            last = journal is null ? null : LastIn(journal);
        }

        var checkpoint = await _blobs.LookAsync(Checkpoint(@namespace), cancellationToken);
        var written = checkpoint is null ? null : VersionOf(checkpoint);
        if (journal is { Grows: false } || (journal is { Length: > 0 } && last is null))
        {
            return null;
        }

        var version = last is null || written?.Seq >= last.Seq ? written : new JournalVersion(last.Seq, last.Tag);
        return version is null
            ? null
            : new CatalogEnd(journal?.ETag, journal?.Length ?? 0, version, checkpoint?.Length ?? 0)
            {
                Blocks = journal?.Blocks ?? 0,
            };
    }

    /// <summary>Adds lines to the journal; null where it does not end there any more, and nothing was added.</summary>
    public async Task<CatalogEnd?> AppendAsync(
        string @namespace,
        CatalogEnd end,
        byte[] lines,
        JournalVersion version,
        CancellationToken cancellationToken
    ) =>
        await _blobs.AppendAsync(Journal(@namespace), end.ETag, lines, cancellationToken) is var (etag, blocks)
            ? end with
            {
                ETag = etag,
                Blocks = blocks,
                Length = end.Length + lines.Length,
                Version = version,
            }
            : null;

    /// <summary>Writes a checkpoint, and removes the journal that it makes needless.</summary>
    /// <param name="namespace">The namespace.</param>
    /// <param name="state">What it says.</param>
    /// <param name="before">What it was made from, or replaces.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>Where the journal ends now; null where others have written meanwhile.</returns>
    public async Task<CatalogEnd?> ReplaceAsync(
        string @namespace,
        CatalogState state,
        CatalogRead before,
        CancellationToken cancellationToken
    )
    {
        var bytes = state.Write();
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [SeqName] = state.Seq.ToString(CultureInfo.InvariantCulture),
        };
        if (state.Tag is { } tag)
        {
            metadata[TagName] = tag.Text;
        }

        return
            await _blobs.TryWriteAsync(Checkpoint(@namespace), before.Checkpoint, bytes, metadata, cancellationToken)
            && (
                before.Journal is null
                || await _blobs.DeleteAsync(Journal(@namespace), before.Journal, cancellationToken)
            )
            ? new CatalogEnd(null, 0, state.Version, bytes.ToMemory().Length)
            : null;
    }

    /// <summary>The ETags of what is there, unread.</summary>
    public async Task<CatalogRead> LookAsync(string @namespace, CancellationToken cancellationToken) =>
        new(
            new CatalogState(),
            (await _blobs.LookAsync(Journal(@namespace), cancellationToken))?.ETag,
            (await _blobs.LookAsync(Checkpoint(@namespace), cancellationToken))?.ETag
        );

    /// <summary>Keeps a copy of a catalog that is about to be replaced by one of an older moment.</summary>
    public Task KeepAsync(string @namespace, CatalogState state, CancellationToken cancellationToken) =>
        _blobs.WriteAsync(
            string.Create(CultureInfo.InvariantCulture, $"replaced/{@namespace}/{state.Seq}"),
            state.Write(),
            cancellationToken
        );

    /// <summary>The entries of a journal. A last line that is damaged is left out: it may have been cut off.</summary>
    /// <exception cref="InvalidDataException">Another line is damaged.</exception>
    internal static IEnumerable<CatalogEntry> EntriesIn(byte[] journal)
    {
        for (var (at, number) = (0, 1); at < journal.Length; number++)
        {
            var length = Array.IndexOf(journal, (byte)'\n', at) is var end and >= 0 ? end - at : journal.Length - at;
            if (CatalogEntry.Read(journal.AsSpan(at, length)) is { } entry)
            {
                yield return entry;
            }
            else if (at + length + 1 < journal.Length)
            {
                throw new InvalidDataException($"line {number} has another checksum");
            }

            at += length + 1;
        }
    }

    private static CatalogEntry? LastIn(CatalogBlob journal)
    {
        var bytes = journal.Bytes.AsSpan();
        if (bytes.Length == 0 || bytes[^1] != '\n')
        {
            return null;
        }

        var before = bytes[..^1].LastIndexOf((byte)'\n');
        return before < 0 && !journal.IsWhole ? null : CatalogEntry.Read(bytes[(before + 1)..^1]);
    }

    private static JournalVersion? VersionOf(CatalogBlob checkpoint) =>
        checkpoint.Metadata.TryGetValue(SeqName, out var text)
        && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
            ? new JournalVersion(
                seq,
                checkpoint.Metadata.TryGetValue(TagName, out var tag) ? new VersionTag(tag) : null
            )
            : null;

    private static string Journal(string @namespace) => $"{Folder}{@namespace}/journal";

    private static string Checkpoint(string @namespace) => $"{Folder}{@namespace}/checkpoint";
}
