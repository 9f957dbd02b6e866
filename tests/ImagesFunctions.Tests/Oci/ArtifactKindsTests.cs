using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Oci;

public sealed class ArtifactKindsTests
{
    [Theory]
    [InlineData("application/vnd.dev.cosign.artifact.sig.v1+json", ArtifactKind.Signature)]
    [InlineData("Application/Vnd.Cncf.Notary.Signature", ArtifactKind.Signature)]
    [InlineData("application/vnd.dev.sigstore.bundle.v0.3+json", ArtifactKind.Signature)]
    [InlineData("application/spdx+json", ArtifactKind.Sbom)]
    [InlineData("application/vnd.cyclonedx+json", ArtifactKind.Sbom)]
    [InlineData("application/vnd.in-toto+json", ArtifactKind.Attestation)]
    [InlineData("application/vnd.oci.empty.v1+json", ArtifactKind.Other)]
    [InlineData(null, ArtifactKind.Other)]
    public void An_artifact_is_what_its_type_says(string? type, ArtifactKind kind) =>
        Assert.Equal(kind, ArtifactKinds.Of(type, new Dictionary<string, string>(StringComparer.Ordinal)));

    [Theory]
    [InlineData("https://sigstore.dev/cosign/sign/v1", ArtifactKind.Signature)]
    [InlineData("https://slsa.dev/provenance/v1", ArtifactKind.Attestation)]
    public void A_bundle_is_what_its_predicate_says(string predicate, ArtifactKind kind) =>
        Assert.Equal(
            kind,
            ArtifactKinds.Of(
                "application/vnd.dev.sigstore.bundle.v0.3+json",
                new Dictionary<string, string>(StringComparer.Ordinal)
                {
                    ["dev.sigstore.bundle.predicateType"] = predicate,
                }
            )
        );
}
