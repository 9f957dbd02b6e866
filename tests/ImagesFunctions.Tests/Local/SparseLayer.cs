using System.Buffers.Binary;
using System.Security.Cryptography;

namespace ImagesFunctions.Tests.Local;

/// <summary>
/// A layer of any length that takes little room on the disk: holes, with the number of each MiB at its beginning, so that
/// no MiB can be lost, repeated or exchanged for another without a change of the digest.
/// </summary>
internal static class SparseLayer
{
    private const int Piece = 1024 * 1024;

    /// <summary>Writes it and returns its digest.</summary>
    public static string Write(string path, int mebibytes)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
        file.SetLength((long)mebibytes * Piece);
        var piece = new byte[Piece];
        for (var i = 0; i < mebibytes; i++)
        {
            BinaryPrimitives.WriteInt32BigEndian(piece, i + 1);
            hash.AppendData(piece);
            file.Position = (long)i * Piece;
            file.Write(piece, 0, sizeof(int));
        }

        return $"sha256:{Convert.ToHexStringLower(hash.GetHashAndReset())}";
    }
}
