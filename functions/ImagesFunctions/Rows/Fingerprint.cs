using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using ImagesFunctions.Oci;

namespace ImagesFunctions.Rows;

/// <summary>16 bytes of a hash that stand for a text: keys are long, and a sweep remembers a million.</summary>
internal static class Fingerprint
{
    /// <summary>That of a blob or an image of an app.</summary>
    public static UInt128 Of(string app, Digest digest) => Of(app, digest.ToString());

    /// <summary>That of something else of an app.</summary>
    public static UInt128 Of(string app, string what) => Of($"{app}!{what}");

    /// <summary>That of a text.</summary>
    public static UInt128 Of(string text) => MemoryMarshal.Read<UInt128>(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
