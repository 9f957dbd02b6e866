using System.IO.Compression;
using System.Text;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Fuzz.Targets;

/// <summary>
/// Tars: what is found does not depend on the pieces in which they come, nor on whether they come compressed; and a tar of the only
/// file that was found has that file.
/// </summary>
internal static class TarTarget
{
    private const int MaxName = 100;
    private const int MaxCommandLine = 16 * 1024;

    public static void Check(byte[] input)
    {
        var whole = Peek([input]);
        Holds.Same(whole.Facts, Peek(Pieces.Of(input)).Facts, "what is found piece by piece");
        Holds.Same(whole.IsDone, Peek(Pieces.Of(input)).IsDone, "whether all was found, piece by piece");

        using (var peek = new LayerPeek())
        {
            peek.Read(Compressed(input));
            Holds.Same(whole.Facts, peek.Facts, "what is found in the compressed tar");
        }

        if (whole.Facts is not { } facts)
        {
            return;
        }

        Holds.True(facts.CommandLine is not { Length: > MaxCommandLine }, "the command line is longer than is read");
        Holds.True(facts.CommandLine?.TrimEnd('\r', '\n', '\0') == facts.CommandLine, "the command line's end is kept");
        if (facts.OnlyFile is { } name && IsPlain(name))
        {
            var again = Peek([TarHeader.OfFile(name, 0), TarHeader.End]);
            Holds.Same(new TarFacts(name, name == TarFacts.CommandLinePath ? "" : null), again.Facts, "its only file");
        }
    }

    private static TarPeek Peek(IEnumerable<byte[]> pieces)
    {
        var peek = new TarPeek();
        foreach (var piece in pieces)
        {
            peek.Read(piece);
        }

        return peek;
    }

    // A name that is written as it is: not one whose beginning stands for the folder itself.
    private static bool IsPlain(string name) =>
        name.Length is > 0 and <= MaxName && Ascii.IsValid(name) && name[0] is not ('.' or '/');

    private static byte[] Compressed(byte[] content)
    {
        using var buffer = new MemoryStream();
        using (var gzip = new GZipStream(buffer, CompressionLevel.Fastest, leaveOpen: true))
        {
            gzip.Write(content);
        }

        return buffer.ToArray();
    }
}

/// <summary>An input cut into pieces, as the network would.</summary>
internal static class Pieces
{
    private const int Longest = 600; // longer than a block of a tar

    /// <summary>Pieces of lengths that only depend on the input's length.</summary>
    public static IEnumerable<byte[]> Of(byte[] input)
    {
        // A linear congruential generator: the same pieces each time.
        var state = (uint)input.Length;
        for (var at = 0; at < input.Length; )
        {
            state = (state * 1_664_525) + 1_013_904_223;
            var length = (int)Math.Min(input.Length - at, state % Longest);
            yield return input[at..(at + length)];
            at += length;
        }
    }
}
