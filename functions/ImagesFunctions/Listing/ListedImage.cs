using System.Globalization;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using ImagesFunctions.Http;
using ImagesFunctions.Journal;
using ImagesFunctions.Oci;
using ImagesFunctions.Repositories;
using ImagesFunctions.Rows;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Listing;

/// <summary>
/// A listed image. Its JSON is made once, when the image or its tags change, and is copied for each request. Facts that are too long
/// for a row are loaded when they are written for the first time.
/// </summary>
internal sealed class ListedImage
{
    // The most that lists write of an image: one that is not whole may become so.
    private const long MaxTexts = 3L * ShownFacts.MaxBytes;

    private readonly byte[] _head;
    private readonly string[] _tags;
    private readonly IReadOnlyList<TagPush?>? _pushes;
    private ImageTexts? _texts;

    public ListedImage(
        string @namespace,
        ImageRow row,
        ImageTexts? texts,
        IReadOnlyList<string> tags,
        string? key = null,
        IReadOnlyList<TagPush?>? pushes = null
    )
    {
        Namespace = @namespace;
        Row = row;
        _tags = tags as string[] ?? [.. tags];
        Key = key ?? row.Key;
        _texts = texts;
        _pushes = pushes;
        var repository = Repository;
        // Repositories, digests and tags have no character that JSON escapes.
        _head = Encoding.UTF8.GetBytes(
            $$"""{"digest":"{{repository}}@{{row.Digest}}","tags":[{{string.Join(',', tags.Select(t => $"\"{repository}:{t}\""))}}],"""
        );
        var hash = new XxHash128();
        hash.Append(_head);
        // Facts in a blob follow from the image's bytes: its generation stands for them.
        hash.Append(texts?.V1 ?? Encoding.UTF8.GetBytes(row.Generation));
        hash.Append(texts?.Platform ?? []);
        ReadOnlySpan<long> times =
        [
            row.Committed?.UtcTicks ?? 0,
            row.Pin?.Since.UtcTicks ?? 0,
            row.Pin?.Autokill?.Ticks ?? 0,
        ];
        hash.Append(MemoryMarshal.AsBytes(times));
        AppendPushes(hash);
        Hash = hash.GetCurrentHashAsUInt128();
    }

    // Who pushed its tags is told to few, and the hash to all who see it: the generation, which nobody is told, goes in with that.
    private void AppendPushes(XxHash128 hash)
    {
        var authors = new StringBuilder();
        foreach (var push in _pushes ?? [])
        {
            hash.Append(BitConverter.GetBytes(push?.At.UtcTicks ?? 0));
            authors.Append('\0').Append(push?.By?.Text);
        }

        if (authors.Length > (_pushes?.Count ?? 0))
        {
            hash.Append(SHA256.HashData(Encoding.UTF8.GetBytes($"{Row.Generation}\0{authors}")));
        }
    }

    /// <summary>The namespace that the image is stored in.</summary>
    public string Namespace { get; }

    /// <summary>The repository as the API writes it: official ones without a slash.</summary>
    public string Repository => Namespace == Oci.Repository.Official ? Row.App : $"{Namespace}/{Row.App}";

    /// <summary>Its tags without the repository, in ordinal order.</summary>
    public IReadOnlyList<string> Tags => _tags;

    /// <summary>When a tag was set, and by whom; null where its row does not say so.</summary>
    /// <param name="index">The tag's place in <see cref="Tags"/>.</param>
    public TagPush? PushOf(int index) => _pushes?[index];

    /// <summary>As the other overload, by the tag; null where it is none of the image's.</summary>
    public TagPush? PushOf(string tag) =>
        Array.BinarySearch(_tags, tag, StringComparer.Ordinal) is >= 0 and var index ? PushOf(index) : null;

    /// <summary>Whether it has a tag. Searches binarily: an image may have very many.</summary>
    public bool HasTag(string tag) => Array.BinarySearch(_tags, tag, StringComparer.Ordinal) >= 0;

    /// <summary>The row's key; the order of keys is the order of lists.</summary>
    public string Key { get; }

    /// <summary>The row, without its facts where the texts have them.</summary>
    public ImageRow Row { get; }

    /// <summary>A hash of its JSON.</summary>
    public UInt128 Hash { get; }

    /// <summary>Its size in memory, about, in bytes.</summary>
    public long Bytes => 300 + _head.Length + (_texts is null ? MaxTexts : _texts.V1.Length + _texts.Platform.Length);

    /// <summary>The length of its JSON in lists of the first generation, in bytes; too short for one that is not whole.</summary>
    public int V1Length => _head.Length + (_texts?.V1.Length ?? 0);

    /// <summary>Whether its facts are loaded, so that it can be written.</summary>
    public bool IsWhole => _texts is not null;

    /// <summary>The same image with the facts that lists show.</summary>
    /// <exception cref="StorageUnavailableException">The facts cannot be read now.</exception>
    public async Task<ListedImage> WholeAsync(ImageRows imageRows, CancellationToken cancellationToken)
    {
        if (!IsWhole)
        {
            // They follow from immutable bytes: two requests that load them at once get the same.
            var row = await imageRows.WithFactsAsync(Namespace, Row, cancellationToken);
            Volatile.Write(ref _texts, ImageTexts.Of(row.Shown()));
        }

        return this;
    }

    /// <summary>The same image with all of its facts, as it is shown alone. Where storage holds its config, those that lists show.</summary>
    /// <exception cref="StorageUnavailableException">The facts cannot be read now.</exception>
    public async Task<ListedImage> WithAllFactsAsync(ImageRows imageRows, CancellationToken cancellationToken)
    {
        // What was loaded from a blob was cut for lists, though its row does not say so.
        if (IsWhole && !Row.IsTruncated && Row.FactsBlob is null)
        {
            return this;
        }

        try
        {
            var row = await imageRows.WithAllFactsAsync(Namespace, Row, cancellationToken);
            return new ListedImage(Namespace, Row, ImageTexts.Of(row), Tags, Key, _pushes);
        }
        catch (StorageHeldException) when (IsWhole)
        {
            return this;
        }
    }

    /// <summary>Writes it in the shape of <c>/v1/images/list</c>. It has to be whole.</summary>
    public async ValueTask WriteV1Async(ResponseBuffer to, CancellationToken cancellationToken)
    {
        await to.WriteAsync(_head, cancellationToken);
        await to.WriteAsync(_texts!.V1, cancellationToken);
    }

    /// <summary>The text that <see cref="WriteV1Async"/> writes of several whole images, with commas between them.</summary>
    public static byte[] V1TextOf(IReadOnlyList<ListedImage> images)
    {
        var text = new byte[images.Sum(i => i.V1Length) + images.Count - 1];
        var at = 0;
        foreach (var image in images)
        {
            if (at > 0)
            {
                text[at++] = (byte)',';
            }

            image._head.CopyTo(text, at);
            image._texts!.V1.CopyTo(text, at + image._head.Length);
            at += image.V1Length;
        }

        return text;
    }

    /// <summary>Writes it in the platform shape of the later generations. It has to be whole.</summary>
    /// <param name="to">The body.</param>
    /// <param name="host">The start of the image's address, escaped for JSON.</param>
    /// <param name="now">The time of the answer: an expired pin is not shown.</param>
    /// <param name="cancellationToken">Cancels the operation.</param>
    public async ValueTask WritePlatformAsync(
        ResponseBuffer to,
        JsonEncodedText host,
        DateTimeOffset now,
        CancellationToken cancellationToken
    )
    {
        to.Write("{\"url\":\""u8);
        to.Write(host.EncodedUtf8Bytes);
        to.Write(
            Encoding.UTF8.GetBytes(
                $"/{Namespace}/{Row.App}@{Row.Digest}\",\"digest\":\"{Row.Digest}\",\"users\":[\"{Namespace}\"],"
            )
        );
        if (Row.Pin?.HoldsAt(now) == true)
        {
            to.Write("\"persistent\":true,"u8);
        }

        var before = "\"tags\":[";
        foreach (var tags in _tags.Chunk(256))
        {
            var text = before + string.Join(',', tags.Select(t => $"\"{t}\""));
            await to.WriteAsync(Encoding.UTF8.GetBytes(text), cancellationToken);
            before = ",";
        }

        if (_tags.Length > 0)
        {
            to.Write("],"u8);
        }

        await to.WriteAsync(_texts!.Platform, cancellationToken);
    }

    /// <summary>A time as lists write it (RFC 3339), in UTC and with milliseconds.</summary>
    public static string TimeText(DateTimeOffset at) =>
        at.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
}
