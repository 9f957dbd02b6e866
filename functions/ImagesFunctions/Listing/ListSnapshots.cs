using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using ImagesFunctions.Blobs;
using ImagesFunctions.Policy;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Listing;

/// <summary>The data from which a list of a namespace is made, as it was after a commit.</summary>
/// <param name="Seq">The commit's number.</param>
/// <param name="Operation">The commit's operation id: after a restore from a backup, the commit of this number has another one.</param>
/// <param name="Images">The image rows without their facts, and the JSON of the facts.</param>
/// <param name="Tags">The tag rows.</param>
internal sealed record ListSnapshot(
    long Seq,
    string Operation,
    IReadOnlyList<(ImageRow Row, ImageTexts? Texts)> Images,
    IReadOnlyList<TagRow> Tags
);

/// <summary>
/// Snapshots of the lists of large namespaces, in the container <c>derived</c>, so that a new process does not scan their rows: it
/// loads the newest snapshot and replays the commits since. A snapshot that is lost or damaged is replaced after a scan.
/// </summary>
internal sealed class ListSnapshots(StorageAccount account)
{
    // The version of the format, the texts included. A program that writes another format needs another number.
    private const int Schema = 5;

    private const string Folder = "list";

    private const int MaxLength = 512 * 1024 * 1024;

    // How many items to reserve room for before they are read: a damaged count may be any number.
    private const int MaxReserved = 100_000;
    private const int MaxText = 64 * 1024 * 1024;

    private const string SeqName = "seq";
    private const long NoTime = long.MinValue;

    private readonly DerivedBlobs _blobs = new(account);

    /// <summary>The number of the commit of the newest snapshot; 0 where there is none.</summary>
    public async Task<long> SeqAsync(string @namespace, CancellationToken cancellationToken) =>
        long.TryParse(
            await _blobs.MetadataAsync(PathOf(@namespace), SeqName, cancellationToken),
            CultureInfo.InvariantCulture,
            out var seq
        )
            ? seq
            : 0;

    /// <summary>The newest snapshot; null where there is none, it is damaged, or storage is slow.</summary>
    public async Task<ListSnapshot?> LoadAsync(string @namespace, CancellationToken cancellationToken)
    {
        // Some MiB for 100,000 images, which the list has in memory anyway.
        if (
            await _blobs.TryReadAsync(PathOf(@namespace), MaxLength, cancellationToken) is not { } bytes
            || bytes.Length < SHA256.HashSizeInBytes
            || !SHA256
                .HashData(bytes.AsSpan(SHA256.HashSizeInBytes))
                .AsSpan()
                .SequenceEqual(bytes.AsSpan(0, SHA256.HashSizeInBytes))
        )
        {
            return null;
        }

        try
        {
            using var compressed = new MemoryStream(
                bytes,
                SHA256.HashSizeInBytes,
                bytes.Length - SHA256.HashSizeInBytes
            );
            await using var brotli = new BrotliStream(compressed, CompressionMode.Decompress);
            using var buffered = new BufferedStream(brotli, 64 * 1024);
            return Read(buffered);
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            // Its hash is right, but the format is another: a scan replaces it.
            return null;
        }
    }

    /// <summary>Saves a snapshot, and replaces the one before.</summary>
    public async Task SaveAsync(string @namespace, ListSnapshot snapshot, CancellationToken cancellationToken)
    {
        using var bytes = new MemoryStream();
        bytes.SetLength(SHA256.HashSizeInBytes);
        bytes.Position = SHA256.HashSizeInBytes;
        await using (var brotli = new BrotliStream(bytes, CompressionLevel.Fastest, leaveOpen: true))
        {
            await using var buffered = new BufferedStream(brotli, 64 * 1024);
            Write(buffered, snapshot);
        }

        // The hash comes first, so that truncated or changed bytes are not parsed.
        SHA256
            .HashData(bytes.GetBuffer().AsSpan(SHA256.HashSizeInBytes, (int)bytes.Length - SHA256.HashSizeInBytes))
            .CopyTo(bytes.GetBuffer(), 0);
        bytes.Position = 0;
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [SeqName] = snapshot.Seq.ToString(CultureInfo.InvariantCulture),
        };
        await _blobs.WriteAsync(PathOf(@namespace), bytes, metadata, cancellationToken);
    }

    /// <summary>Whether a blob of the container <c>derived</c> is a snapshot in the format of an earlier version.</summary>
    public static bool IsOutdated(string path) =>
        path.Split('/') is [_, Folder, var schema]
        && int.TryParse(schema, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number < Schema;

    private static string PathOf(string @namespace) =>
        string.Create(CultureInfo.InvariantCulture, $"{@namespace}/{Folder}/{Schema}");

    private static void Write(Stream to, ListSnapshot snapshot)
    {
        using var writer = new BinaryWriter(to, Encoding.UTF8, leaveOpen: true);
        writer.Write(snapshot.Seq);
        writer.Write(snapshot.Operation);
        writer.Write(snapshot.Images.Count);
        foreach (var (row, texts) in snapshot.Images)
        {
            writer.Write(row.App);
            writer.Write(row.Digest.ToString());
            writer.Write(row.MediaType);
            writer.Write(row.Size);
            writer.Write(row.IsImage);
            writer.Write(row.Generation);
            writer.Write((byte)row.State);
            writer.Write(row.Subject?.ToString() ?? "");
            writer.Write(row.FactsBlob ?? "");
            writer.Write(row.IsTruncated);
            writer.Write(row.Committed?.ToUnixTimeMilliseconds() ?? NoTime);
            writer.Write(row.PushedBy?.Text ?? "");
            writer.Write(row.Pin?.Since.ToUnixTimeMilliseconds() ?? NoTime);
            writer.Write(row.Pin?.Autokill?.Ticks ?? NoTime);
            writer.Write7BitEncodedInt(row.Children.Count);
            foreach (var child in row.Children)
            {
                writer.Write(child);
            }

            Write(writer, texts?.V1);
            Write(writer, texts?.Platform);
        }

        WriteTags(writer, snapshot.Tags);
    }

    private static void WriteTags(BinaryWriter writer, IReadOnlyList<TagRow> tags)
    {
        writer.Write(tags.Count);
        foreach (var tag in tags)
        {
            writer.Write(tag.App);
            writer.Write(tag.Tag);
            writer.Write(tag.Digest.ToString());
            writer.Write(tag.Generation is not null);
            writer.Write(tag.Generation ?? "");
            writer.Write(tag.FromLayout);
            writer.Write(tag.Pushed?.At.ToUnixTimeMilliseconds() ?? NoTime);
            writer.Write(tag.Pushed?.By?.Text ?? "");
        }
    }

    private static ListSnapshot Read(Stream from)
    {
        using var reader = new BinaryReader(from, Encoding.UTF8, leaveOpen: true);
        var (seq, operation) = (reader.ReadInt64(), reader.ReadString());
        var count = CountOf(reader);
        var images = new List<(ImageRow, ImageTexts?)>(Math.Min(count, MaxReserved));
        // Apps and media types are few; without sharing, their strings would take most of the memory.
        var pool = new Dictionary<string, string>(StringComparer.Ordinal);
        string Pooled()
        {
            var text = reader.ReadString();
            return pool.TryGetValue(text, out var same) ? same : pool[text] = text;
        }

        for (var i = 0; i < count; i++)
        {
            var row = new ImageRow(Pooled(), ImageRow.Parse(reader.ReadString()))
            {
                MediaType = Pooled(),
                Size = reader.ReadInt64(),
                IsImage = reader.ReadBoolean(),
                Generation = reader.ReadString(),
                State = (ImageState)reader.ReadByte(),
                Subject = reader.ReadString() is { Length: > 0 } subject ? ImageRow.Parse(subject) : null,
                FactsBlob = reader.ReadString() is { Length: > 0 } blob ? blob : null,
                IsTruncated = reader.ReadBoolean(),
                Committed = ReadTime(reader),
                PushedBy = ReadAuthor(reader),
                Pin = ReadPin(reader),
                Children = ReadAll(reader),
            };
            var (v1, platform) = (ReadBytes(reader), ReadBytes(reader));
            images.Add((row, v1 is null || platform is null ? null : new ImageTexts(v1, platform)));
        }

        return new ListSnapshot(seq, operation, images, ReadTags(reader, Pooled));
    }

    private static List<TagRow> ReadTags(BinaryReader reader, Func<string> pooled)
    {
        var count = CountOf(reader);
        var tags = new List<TagRow>(Math.Min(count, MaxReserved));
        for (var i = 0; i < count; i++)
        {
            var (app, tag, digest) = (pooled(), reader.ReadString(), ImageRow.Parse(reader.ReadString()));
            var (isSet, generation) = (reader.ReadBoolean(), reader.ReadString());
            tags.Add(
                new TagRow(app, tag, digest, isSet ? generation : null, reader.ReadBoolean())
                {
                    Pushed = ReadPush(reader),
                }
            );
        }

        return tags;
    }

    private static DateTimeOffset? ReadTime(BinaryReader reader) =>
        reader.ReadInt64() is var at and not NoTime ? DateTimeOffset.FromUnixTimeMilliseconds(at) : null;

    private static Author? ReadAuthor(BinaryReader reader) =>
        Author.Parse(reader.ReadString() is { Length: > 0 } text ? text : null);

    private static TagPush? ReadPush(BinaryReader reader)
    {
        var (time, by) = (ReadTime(reader), ReadAuthor(reader));
        return time is { } at ? new TagPush(at, by) : null;
    }

    private static ImagePin? ReadPin(BinaryReader reader)
    {
        var (since, ticks) = (ReadTime(reader), reader.ReadInt64());
        return since is { } at ? new ImagePin(at, ticks == NoTime ? null : TimeSpan.FromTicks(ticks)) : null;
    }

    private static int CountOf(BinaryReader reader) =>
        reader.ReadInt32() is var count and >= 0 ? count : throw new InvalidDataException("a negative count");

    // The length plus 1; 0 for null.
    private static void Write(BinaryWriter writer, byte[]? bytes)
    {
        writer.Write7BitEncodedInt(bytes is null ? 0 : bytes.Length + 1);
        writer.Write(bytes ?? []);
    }

    private static byte[]? ReadBytes(BinaryReader reader)
    {
        var length = reader.Read7BitEncodedInt();
        if (length == 0)
        {
            return null;
        }

        if (length is < 0 or > MaxText)
        {
            throw new InvalidDataException("a text longer than any");
        }

        var bytes = reader.ReadBytes(length - 1);
        return bytes.Length == length - 1 ? bytes : throw new EndOfStreamException();
    }

    private static string[] ReadAll(BinaryReader reader)
    {
        var count = reader.Read7BitEncodedInt();
        if (count is < 0 or > MaxReserved)
        {
            throw new InvalidDataException("more children than any index has");
        }

        if (count == 0)
        {
            return [];
        }

        var all = new string[count];
        for (var i = 0; i < count; i++)
        {
            all[i] = reader.ReadString();
        }

        return all;
    }
}
