using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Telemetry;

namespace ImagesFunctions.Listing;

/// <summary>A list in memory, which one catch-up at a time brings up to date.</summary>
internal sealed class KeptList
{
    // Of a list that was not made yet.
    private const long BytesAtFirst = 4_096;

    // A scan of 100,000 rows takes 100 pages one after the other.
    internal static readonly TimeSpan MaxTime = TimeSpan.FromMinutes(3);

    private readonly Lock _gate = new();
    private readonly RowStore _rowStore;
    private readonly ImageRows _imageRows;
    private readonly ListSnapshots _snapshots;
    private readonly ListSaving _saving;
    private ListedRows<ImageTexts>? _rows;
    private NamespaceList? _list;
    private Task? _catchingUp;
    private JournalVersion _wanted = new(0, null);

    public KeptList(RowStore rowStore, ImageRows imageRows, ListSnapshots snapshots, string @namespace, string? app)
    {
        (_rowStore, _imageRows, _snapshots, Key) = (rowStore, imageRows, snapshots, (@namespace, app));
        Use = new LinkedListNode<KeptList>(this);
        _saving = new ListSaving(rowStore, snapshots, @namespace);
    }

    /// <summary>The namespace, and the app; null for all apps.</summary>
    public (string Namespace, string? App) Key { get; }

    /// <summary>Its node in the order of use of all lists.</summary>
    public LinkedListNode<KeptList> Use { get; }

    /// <summary>The newest version of the list; null before the first.</summary>
    public NamespaceList? List => Volatile.Read(ref _list);

    /// <summary>Its size in memory, about, in bytes.</summary>
    public long Bytes { get; private set; } = BytesAtFirst;

    /// <summary>The size with which it is part of the sum over all lists, in bytes.</summary>
    public long Counted { get; set; } = BytesAtFirst;

    /// <summary>The list after this commit or a later one.</summary>
    public async Task<NamespaceList> AtLeastAsync(JournalVersion version, CancellationToken cancellationToken)
    {
        // A running catch-up may have started for an earlier commit. The next one goes to the latest commit that a caller
        // waits for, so that it reaches this one.
        for (var round = 1; ; round++)
        {
            if (List is { } list && list.IsAtLeast(version))
            {
                return list;
            }

            if (round > 3)
            {
                throw new StorageUnavailableException($"the namespace {Key.Namespace} went back in time");
            }

            Task catchingUp;
            lock (_gate)
            {
                _wanted = version.Seq >= _wanted.Seq ? version : _wanted;
                if (_catchingUp is null or { IsCompleted: true } && List?.IsAtLeast(version) != true)
                {
                    // It serves all waiting requests, so it is not cancelled with the one that started it.
                    var wanted = _wanted;
                    _catchingUp = Task.Run(() => CatchUpAsync(wanted), CancellationToken.None);
                }

                catchingUp = _catchingUp!;
            }

            await catchingUp.WaitAsync(cancellationToken);
        }
    }

    private async Task CatchUpAsync(JournalVersion version)
    {
        // One that fails leaves rows and list as they were: a scan in place of a replay asks for more of what was refused.
        using var deadline = new CancellationTokenSource(MaxTime);
        var source = await UpdateAsync(version, deadline.Token);
        Metrics.ListUpdated(source);
        if (Key.App is null)
        {
            _saving.SaveIfWorthIt(_rows!, List!.Seq, wasScanned: source == "scan");
        }
    }

    // Takes the cheapest way, and returns its name for the metric.
    private async Task<string> UpdateAsync(JournalVersion version, CancellationToken cancellationToken)
    {
        if (
            _rows is { } rows
            && List is { } list
            && list.Seq < version.Seq
            && await ReplayAsync(rows, list, version, cancellationToken)
        )
        {
            return "log";
        }

        if (List is null && Key.App is null && await LoadAsync(version, cancellationToken))
        {
            return "snapshot";
        }

        await ScanAsync(cancellationToken);
        return "scan";
    }

    private async Task ScanAsync(CancellationToken cancellationToken)
    {
        var rows = new ListedRows<ImageTexts>(ImageTexts.Of);
        var images = new Dictionary<string, (ImageRow Row, ImageTexts? Texts)>(StringComparer.Ordinal);
        var tags = new Dictionary<string, TagRow>(StringComparer.Ordinal);
        var version = await _rowStore.ScanAsync(Key.Namespace, Key.App, Begin, cancellationToken);
        var incomplete = images.Values.Where(i => i.Row.FactsBlob is not null && MediaTypes.IsIndex(i.Row.MediaType));
        foreach (var (row, _) in incomplete.ToList())
        {
            images[row.Key] = rows.Reduced(await _imageRows.WithFactsAsync(Key.Namespace, row, cancellationToken));
        }

        Publish(rows, NamespaceList.Empty.With(version.Seq, Images(rows.Apply(images, tags))), version);

        Action<string, TableRow?> Begin()
        {
            images.Clear();
            tags.Clear();
            return (key, entity) =>
            {
                if (entity is null)
                {
                    images.Remove(key);
                    tags.Remove(key);
                }
                else if (key[0] == 'i')
                {
                    images[key] = rows.Reduced(ImageRow.From(entity));
                }
                else
                {
                    tags[key] = TagRow.From(entity);
                }
            };
        }
    }

    private async Task<bool> LoadAsync(JournalVersion version, CancellationToken cancellationToken)
    {
        if (
            await _snapshots.LoadAsync(Key.Namespace, cancellationToken) is not { } snapshot
            || await _rowStore.OperationAsync(Key.Namespace, snapshot.Seq, cancellationToken) != snapshot.Operation
        )
        {
            return false;
        }

        if (snapshot.Seq > version.Seq)
        {
            // Saved since the version was read; or left from before the account was restored.
            version = await _rowStore.VersionAsync(Key.Namespace, cancellationToken);
            if (snapshot.Seq > version.Seq)
            {
                return false;
            }
        }

        var rows = new ListedRows<ImageTexts>(ImageTexts.Of);
        var listed = rows.Apply(
            snapshot.Images.Select(i => KeyValuePair.Create(i.Row.Key, i)),
            snapshot.Tags.Select(t => KeyValuePair.Create(t.Key, t))
        );
        var list = NamespaceList.Empty.With(snapshot.Seq, Images(listed));
        if (snapshot.Seq == version.Seq)
        {
            Publish(rows, list, version);
        }
        else if (!await ReplayAsync(rows, list, version, cancellationToken))
        {
            return false;
        }

        _saving.Found(snapshot.Seq);
        return true;
    }

    private async Task<bool> ReplayAsync(
        ListedRows<ImageTexts> rows,
        NamespaceList list,
        JournalVersion version,
        CancellationToken cancellationToken
    )
    {
        var changes = await _rowStore.ChangesAsync(Key.Namespace, Key.App, list.Version, version, cancellationToken);
        if (changes is null)
        {
            return false;
        }

        // Everything that may fail comes before the rows are changed.
        var images = new Dictionary<string, ImageRow?>(StringComparer.Ordinal);
        var tags = new Dictionary<string, TagRow?>(StringComparer.Ordinal);
        foreach (var (key, entity) in changes)
        {
            if (key[0] == 't')
            {
                tags[key] = entity is null ? null : TagRow.From(entity);
                continue;
            }

            var row = entity is null ? null : ImageRow.From(entity);
            images[key] =
                row is not null && MediaTypes.IsIndex(row.MediaType)
                    ? await _imageRows.WithFactsAsync(Key.Namespace, row, cancellationToken)
                    : row;
        }

        // Half-changed rows would be worse than a scan.
        _rows = null;
        Publish(rows, list.With(version.Seq, Images(rows.Apply(images, tags))), version);
        return true;
    }

    // In the same order.
    private List<KeyValuePair<string, ListedImage?>> Images(SortedDictionary<string, ListedRow<ImageTexts>?> rows)
    {
        var images = new List<KeyValuePair<string, ListedImage?>>(rows.Count);
        foreach (var (key, row) in rows)
        {
            var image = row is null
                ? null
                : new ListedImage(Key.Namespace, row.Row, row.Facts, row.Tags, key, row.Pushes);
            images.Add(KeyValuePair.Create(key, image));
        }

        return images;
    }

    private void Publish(ListedRows<ImageTexts> rows, NamespaceList list, JournalVersion version)
    {
        _rows = rows;
        Bytes = rows.Bytes + list.Bytes;
        Volatile.Write(ref _list, list with { Names = rows.Names, Tag = version.Tag });
    }
}
