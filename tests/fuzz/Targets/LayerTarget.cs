using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Fuzz.Targets;

/// <summary>Layers, compressed or not, whole or damaged: what is found does not depend on the pieces in which they come.</summary>
internal static class LayerTarget
{
    public static void Check(byte[] input)
    {
        var whole = Peek([input]);
        Holds.Same(whole, Peek(Pieces.Of(input)), "what is found piece by piece");
        Holds.True(whole?.OnlyFile?.StartsWith('/') != true, "a path has a leading slash");
    }

    private static TarFacts? Peek(IEnumerable<byte[]> pieces)
    {
        using var peek = new LayerPeek();
        foreach (var piece in pieces)
        {
            peek.Read(piece);
        }

        return peek.Facts;
    }
}
