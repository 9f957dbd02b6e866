using System.IO.Hashing;
using System.Runtime.InteropServices;
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
/// An image as lists show it. What they write of it is made once, when the image or its tags change, and only copied
/// for each request; facts that do not stand in its row are fetched when they are written for the first time.
/// </summary>
internal sealed class ListedImage
{
    // What lists write of any image; one that is not whole yet may become so.
    private const long MaxTexts = 3L * ShownFacts.MaxBytes;

    private readonly byte[] _head;
    private readonly string[] _tags;
    private ImageTexts? _texts;

    public ListedImage(
        string @namespace,
        ImageRow row,
        ImageTexts? texts,
        IReadOnlyList<string> tags,
        string? key = null
    )
    {
        Namespace = @namespace;
        Row = row;
        _tags = tags as string[] ?? [.. tags];
        Key = key ?? row.Key;
        _texts = texts;
        var repository = Repository;
        // Neither repositories nor digests and tags hold a character that JSON escapes.
        _head = Encoding.UTF8.GetBytes(
            $$"""{"digest":"{{repository}}@{{row.Digest}}","tags":[{{string.Join(',', tags.Select(t => $"\"{repository}:{t}\""))}}],"""
        );
        var hash = new XxHash128();
        hash.Append(_head);
        // Facts that are not here follow from what the image's bytes are, as long as its row stands.
        hash.Append(texts?.V1 ?? Encoding.UTF8.GetBytes(row.Generation));
        hash.Append(texts?.Platform ?? []);
        ReadOnlySpan<long> times =
        [
            row.Committed?.UtcTicks ?? 0,
            row.Pin?.Since.UtcTicks ?? 0,
            row.Pin?.Autokill?.Ticks ?? 0,
        ];
        hash.Append(MemoryMarshal.AsBytes(times));
        Hash = hash.GetCurrentHashAsUInt128();
    }

    /// <summary>The namespace that the image is stored in.</summary>
    public string Namespace { get; }

    /// <summary>The repository as the API writes it: official ones without a slash.</summary>
    public string Repository => Namespace == Oci.Repository.Official ? Row.App : $"{Namespace}/{Row.App}";

    /// <summary>Its tags in ordinal order, without the repository.</summary>
    public IReadOnlyList<string> Tags => _tags;

    /// <summary>Whether it has this tag; an image may have very many.</summary>
    public bool HasTag(string tag) => Array.BinarySearch(_tags, tag, StringComparer.Ordinal) >= 0;

    /// <summary>The row's key, which sorts images of one namespace as lists do.</summary>
    public string Key { get; }

    /// <summary>The row; without its facts where the texts hold them.</summary>
    public ImageRow Row { get; }

    /// <summary>Stands for all that lists write of it.</summary>
    public UInt128 Hash { get; }

    /// <summary>About how many bytes it takes.</summary>
    public long Bytes => 300 + _head.Length + (_texts is null ? MaxTexts : _texts.V1.Length + _texts.Platform.Length);

    /// <summary>The length of what lists of the first generation write of it, in bytes; of one that is not whole only a part.</summary>
    public int V1Length => _head.Length + (_texts?.V1.Length ?? 0);

    /// <summary>Whether it can be written at once; else its facts are to be fetched first.</summary>
    public bool IsWhole => _texts is not null;

    /// <summary>The same image with the facts that lists show.</summary>
    /// <exception cref="StorageUnavailableException">They cannot be read now.</exception>
    public async Task<ListedImage> WholeAsync(ImageRows imageRows, CancellationToken cancellationToken)
    {
        if (!IsWhole)
        {
            // They follow from what never changes: two that fetch them at once get the same.
            var row = await imageRows.WithFactsAsync(Namespace, Row, cancellationToken);
            Volatile.Write(ref _texts, ImageTexts.Of(row.Shown()));
        }

        return this;
    }

    /// <summary>The same image with all of its facts, as it is shown alone. Where storage holds its config, those that lists show.</summary>
    /// <exception cref="StorageUnavailableException">They cannot be read now.</exception>
    public async Task<ListedImage> WithAllFactsAsync(ImageRows imageRows, CancellationToken cancellationToken)
    {
        if (IsWhole && !Row.IsTruncated)
        {
            return this;
        }

        try
        {
            var row = await imageRows.WithAllFactsAsync(Namespace, Row, cancellationToken);
            return new ListedImage(Namespace, Row, ImageTexts.Of(row), Tags);
        }
        catch (StorageHeldException) when (IsWhole)
        {
            return this;
        }
    }

    /// <summary>Writes it as <c>/v1/images/list</c> shows it. It has to be whole.</summary>
    public async ValueTask WriteV1Async(ResponseBuffer to, CancellationToken cancellationToken)
    {
        await to.WriteAsync(_head, cancellationToken);
        await to.WriteAsync(_texts!.V1, cancellationToken);
    }

    /// <summary>What <see cref="WriteV1Async"/> writes of several whole images, with commas between them.</summary>
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
    /// <param name="to">Where to.</param>
    /// <param name="host">The start of the image's address, escaped for JSON.</param>
    /// <param name="now">The moment of the answer, which a pin may not outlast.</param>
    /// <param name="cancellationToken">Ends it.</param>
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
}
