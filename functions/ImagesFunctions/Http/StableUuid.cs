using System.Security.Cryptography;
using System.Text;

namespace ImagesFunctions.Http;

/// <summary>UUIDs that clients may store: a name has the same UUID on every instance and after every start.</summary>
internal static class StableUuid
{
    /// <summary>A UUID of version 8 (RFC 9562, section 5.8), made from the SHA-256 of the kind and the name.</summary>
    /// <param name="kind">The kind of the name: names of two kinds never share a UUID.</param>
    /// <param name="name">The name.</param>
    public static Guid Of(string kind, string name)
    {
        var bytes = SHA256.HashData(Encoding.UTF8.GetBytes($"{kind}\n{name}")).AsSpan(0, 16);
        bytes[6] = (byte)((bytes[6] & 0x0F) | 0x80);
        bytes[8] = (byte)((bytes[8] & 0x3F) | 0x80);
        return new Guid(bytes, bigEndian: true);
    }
}
