namespace ImagesFunctions.Oci;

/// <summary>What an artifact that refers to an image is, as far as its type says.</summary>
public enum ArtifactKind
{
    /// <summary>Anything else.</summary>
    Other,

    /// <summary>A signature.</summary>
    Signature,

    /// <summary>A list of what the image is made of.</summary>
    Sbom,

    /// <summary>A statement about how it was made or what was found in it.</summary>
    Attestation,
}

/// <summary>Tells kinds of artifacts by the types that signing tools write.</summary>
public static class ArtifactKinds
{
    private const string Bundle = "application/vnd.dev.sigstore.bundle";
    private const string Predicate = "dev.sigstore.bundle.predicateType";
    private const string SignPredicate = "https://sigstore.dev/cosign/sign/";

    private static readonly string[] s_signatures =
    [
        "application/vnd.dev.cosign.artifact.sig.",
        "application/vnd.dev.cosign.simplesigning.",
        "application/vnd.cncf.notary.signature",
    ];

    private static readonly string[] s_sboms =
    [
        "application/spdx",
        "text/spdx",
        "application/vnd.cyclonedx",
        "application/vnd.syft",
        "application/vnd.dev.cosign.artifact.sbom.",
    ];

    private static readonly string[] s_attestations =
    [
        "application/vnd.in-toto",
        "application/vnd.dsse.envelope",
        "application/vnd.dev.cosign.artifact.att.",
    ];

    /// <summary>The kind of an artifact.</summary>
    /// <param name="artifactType">Its artifact type, or null.</param>
    /// <param name="annotations">The annotations of its manifest.</param>
    public static ArtifactKind Of(string? artifactType, IReadOnlyDictionary<string, string> annotations)
    {
        if (artifactType is null)
        {
            return ArtifactKind.Other;
        }

        // A bundle holds either; what it states is in an annotation.
        if (BeginsWith(artifactType, Bundle))
        {
            return
                annotations.TryGetValue(Predicate, out var predicate)
                && !predicate.StartsWith(SignPredicate, StringComparison.Ordinal)
                ? ArtifactKind.Attestation
                : ArtifactKind.Signature;
        }

        return s_signatures.Any(type => BeginsWith(artifactType, type)) ? ArtifactKind.Signature
            : s_sboms.Any(type => BeginsWith(artifactType, type)) ? ArtifactKind.Sbom
            : s_attestations.Any(type => BeginsWith(artifactType, type)) ? ArtifactKind.Attestation
            : ArtifactKind.Other;
    }

    /// <summary>The tag by which cosign finds the signature of an image in registries without referrers.</summary>
    public static string SignatureTagOf(Digest digest) => $"{digest.Algorithm}-{digest.Encoded}.sig";

    // Media types are case-insensitive (RFC 6838, section 4.2).
    private static bool BeginsWith(string mediaType, string start) =>
        mediaType.StartsWith(start, StringComparison.OrdinalIgnoreCase);
}
