using System.Text;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.Acceptance;

/// <summary>What tools push beside images, as they write it.</summary>
internal static class Artifact
{
    public const string Empty = "application/vnd.oci.empty.v1+json";

    /// <summary>What cosign pushes as `sha256-….sig`, `.att` or `.sbom`: an image config, and a layer of another kind.</summary>
    public static JsonObject AddCosign(this Layout layout, string layerType, string text)
    {
        var layer = layout.Add(layerType, Encoding.UTF8.GetBytes(text));
        var config = new JsonObject
        {
            ["architecture"] = "",
            ["created"] = "0001-01-01T00:00:00Z",
            ["os"] = "",
            ["rootfs"] = new JsonObject { ["type"] = "layers", ["diff_ids"] = new JsonArray(Layout.Digest(layer)) },
            ["config"] = new JsonObject(),
        };
        return layout.AddManifest(layout.Add(Layout.OciConfig, config), layer);
    }

    /// <summary>What BuildKit puts into an index beside each platform: its provenance.</summary>
    public static JsonObject AddAttestation(this Layout layout, JsonObject of)
    {
        var config = new JsonObject
        {
            ["architecture"] = "unknown",
            ["os"] = "unknown",
            ["config"] = new JsonObject(),
        };
        var statement = Encoding.UTF8.GetBytes($$"""{"predicate":{"x":"{{new string('0', 500)}}"} }""");
        var descriptor = Layout.For(
            layout.AddManifest(
                layout.Add(Layout.OciConfig, config),
                layout.Add("application/vnd.in-toto+json", statement)
            ),
            "unknown",
            "unknown"
        );
        descriptor["annotations"] = new JsonObject
        {
            ["vnd.docker.reference.type"] = "attestation-manifest",
            ["vnd.docker.reference.digest"] = Layout.Digest(of),
        };
        return descriptor;
    }

    /// <summary>An artifact that refers to another manifest.</summary>
    public static JsonObject AddReferrer(this Layout layout, JsonObject subject)
    {
        var empty = layout.Add(Empty, "{}"u8.ToArray());
        return layout.Add(
            Layout.OciManifest,
            new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = Layout.OciManifest,
                ["artifactType"] = "application/x",
                ["config"] = empty.DeepClone(),
                ["layers"] = new JsonArray(empty),
                ["subject"] = subject.DeepClone(),
            }
        );
    }

    /// <summary>An image with a config of one's own, as text, and one layer of a file system.</summary>
    public static JsonObject AddImageOf(
        this Layout layout,
        string config,
        string configType = Layout.OciConfig,
        string type = Layout.OciManifest
    )
    {
        var manifest = layout.Read(
            layout.AddManifest(
                layout.Add(configType, Encoding.UTF8.GetBytes(config)),
                layout.Add(
                    type == Layout.DockerManifest ? "application/vnd.docker.image.rootfs.diff.tar.gzip" : Layout.OciTar,
                    Layout.Tar("etc/text", config)
                )
            )
        );
        manifest["mediaType"] = type;
        return layout.Add(type, manifest);
    }

    /// <summary>An image with layers of one's own and a config that is good.</summary>
    public static JsonObject AddLayers(this Layout layout, params (string Type, string? Annotation)[] layers) =>
        layout.AddManifest(
            layout.Add(Layout.OciConfig, """{"architecture":"x86_64","os":"kraftcloud"}"""u8.ToArray()),
            [
                .. layers.Select(
                    (l, i) =>
                    {
                        var layer = layout.Add(l.Type, Layout.Tar($"unikraft/{i}", $"{l}"));
                        if (l.Annotation is not null)
                        {
                            layer["annotations"] = new JsonObject { [l.Annotation] = $"/unikraft/{i}" };
                        }

                        return layer;
                    }
                ),
            ]
        );
}
