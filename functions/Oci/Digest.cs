using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;

namespace ImagesFunctions.Oci;

/// <summary>
/// A content digest, <c>algorithm:encoded</c> (OCI image spec, descriptor.md, "Digests"). Only <see cref="TryParse(string?, out Digest?)"/>
/// and <see cref="FromHash"/> make one, so that a malformed digest cannot exist.
/// </summary>
public sealed record Digest
{
    private const int MaxText = 256;

    private Digest(string algorithm, string encoded)
    {
        Algorithm = algorithm;
        Encoded = encoded;
    }

    /// <summary>The algorithm's registered name, such as <c>sha256</c>.</summary>
    public string Algorithm { get; }

    /// <summary>The part after the colon; lower-case hexadecimal for the registered algorithms.</summary>
    public string Encoded { get; }

    /// <summary>Whether the algorithm is one that this registry can verify: sha256 or sha512.</summary>
    public bool IsSupported => Algorithm is "sha256" or "sha512";

    /// <summary>
    /// Parses <c>algorithm:encoded</c>. False when the text is outside the grammar, longer than 256 characters, or has
    /// the wrong length or letters for sha256 or sha512. An unknown algorithm is well-formed: ask <see cref="IsSupported"/>.
    /// </summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out Digest? digest)
    {
        digest = null;
        if (text is null || text.Length > MaxText)
        {
            return false;
        }

        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && TryParse(text[..colon], text[(colon + 1)..], out digest);
    }

    /// <summary>As the other overload, from the two parts, as in the paths of an OCI image layout.</summary>
    public static bool TryParse(string algorithm, string encoded, [NotNullWhen(true)] out Digest? digest)
    {
        digest = null;
        if (!IsAlgorithm(algorithm) || encoded.Length == 0 || algorithm.Length + encoded.Length >= MaxText)
        {
            return false;
        }

        var wellFormed = algorithm switch
        {
            "sha256" => encoded.Length == 64 && IsLowerHex(encoded),
            "sha512" => encoded.Length == 128 && IsLowerHex(encoded),
            _ => encoded.All(c => char.IsAsciiLetterOrDigit(c) || c is '=' or '_' or '-'),
        };
        if (wellFormed)
        {
            // Shares the string: there are very many digests of one algorithm.
            digest = new Digest(algorithm == "sha256" ? "sha256" : algorithm, encoded);
        }

        return wellFormed;
    }

    /// <summary>The digest of a finished hash. The algorithm must be sha256 or sha512.</summary>
    public static Digest FromHash(string algorithm, ReadOnlySpan<byte> hash) =>
        TryParse(algorithm, Convert.ToHexStringLower(hash), out var digest)
            ? digest
            : throw new ArgumentException($"{hash.Length} bytes are no {algorithm} hash", nameof(hash));

    /// <summary>The digest of these bytes. The algorithm must be sha256 or sha512.</summary>
    public static Digest Of(string algorithm, ReadOnlySpan<byte> content) =>
        FromHash(algorithm, CryptographicOperations.HashData(NameOf(algorithm), content));

    /// <summary>The sha256 digest of these bytes.</summary>
    public static Digest Sha256(ReadOnlySpan<byte> content) => Of("sha256", content);

    /// <summary>The name of an algorithm in .NET. Throws for one that is not supported.</summary>
    public static HashAlgorithmName NameOf(string algorithm) =>
        algorithm switch
        {
            "sha256" => HashAlgorithmName.SHA256,
            "sha512" => HashAlgorithmName.SHA512,
            _ => throw new NotSupportedException($"the digest algorithm {algorithm} is not supported"),
        };

    /// <summary>The sha256 of its text, in 64 hexadecimal digits: for keys that have no room for a second digest.</summary>
    public string ShortKey => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(ToString())));

    /// <inheritdoc/>
    public override string ToString() => $"{Algorithm}:{Encoded}";

    // algorithm ::= component (separator component)*, component ::= [a-z0-9]+, separator ::= [+._-]
    private static bool IsAlgorithm(string text)
    {
        var afterComponent = false;
        foreach (var c in text)
        {
            var letter = char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c);
            if (!letter && !(afterComponent && c is '+' or '.' or '_' or '-'))
            {
                return false;
            }

            afterComponent = letter;
        }

        return afterComponent;
    }

    private static bool IsLowerHex(string text) => text.All(c => char.IsAsciiHexDigitLower(c));
}
