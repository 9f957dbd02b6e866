using System.Text.Json.Nodes;
using static ImagesFunctions.Tests.RealImages.LayoutTools;

namespace ImagesFunctions.Tests.RealImages;

/// <summary>Layouts of the images that containers are made of, each written into a folder of its own.</summary>
internal static class OrdinaryImages
{
    public static async Task<Layout> MakeAsync(string work, string architecture)
    {
        var folder = await UmociAsync(
            Path.Combine(work, "ordinary"),
            "1.0",
            Config(architecture),
            await TarAsync(work, "bin/server"),
            await TarAsync(work, "etc/server.conf"),
            await TarAsync(work, "srv/page.html")
        );
        return Layout.FromFolder(folder);
    }

    private static string[] Config(string architecture) =>
        [
            "--os",
            "linux",
            "--architecture",
            architecture,
            "--config.entrypoint",
            "/bin/server",
            "--config.entrypoint",
            "--serve",
            "--config.cmd",
            "--platform",
            "--config.cmd",
            architecture,
            "--config.env",
            "PATH=/bin",
            "--config.label",
            "org.opencontainers.image.title=Server \"1\"",
            "--config.label",
            "maintainer=web",
        ];

    public static async Task<Layout> WithTwoTagsAsync(string work)
    {
        var layout = await MakeAsync(work, "amd64");
        var image = layout.Manifests.Single();
        // Not in order: the list must sort them, capitals before small letters.
        return layout.Index(Layout.Tagged(image, "v1.0"), Layout.Tagged(image, "latest"), Layout.Tagged(image, "RC_1"));
    }

    public static async Task<Layout> DockerAsync(string work)
    {
        var source = Path.Combine(work, "source");
        (await MakeAsync(work, "amd64")).WriteTo(source);
        return await DockerFormAsync(work, source, "1.0");
    }

    /// <summary>skopeo writes Docker's manifests into a plain folder only; a layout is the same blobs under other names.</summary>
    private static async Task<Layout> DockerFormAsync(string work, string source, string tag)
    {
        var folder = Path.Combine(work, "docker");
        await Tool.RunAsync("skopeo", "copy", "--format", "v2s2", $"oci:{source}:{tag}", $"dir:{folder}");
        var layout = new Layout();
        foreach (var blob in Directory.EnumerateFiles(folder).Where(file => Path.GetFileName(file).Length == 64))
        {
            layout.Add("", await File.ReadAllBytesAsync(blob));
        }

        var manifest = layout.Add(
            Layout.DockerManifest,
            await File.ReadAllBytesAsync(Path.Combine(folder, "manifest.json"))
        );
        return layout.Index(Layout.Tagged(manifest, "docker"));
    }

    private static async Task<(Layout Layout, JsonObject Amd64, JsonObject Arm64)> TwoPlatformsAsync(string work)
    {
        var folder = Path.Combine(work, "both");
        var shared = await TarAsync(work, "usr/share/data");
        foreach (var architecture in new[] { "amd64", "arm64" })
        {
            await UmociAsync(folder, architecture, Config(architecture), shared, await TarAsync(work, "bin/server"));
        }

        var layout = Layout.FromFolder(folder);
        return (layout, layout.Manifests[0], layout.Manifests[1]);
    }

    public static async Task<Layout> SeveralPlatformsAsync(string work, string mediaType)
    {
        var (layout, amd64, arm64) = await TwoPlatformsAsync(work);
        if (mediaType == Layout.DockerList)
        {
            var source = Path.Combine(work, "both");
            var docker = await DockerFormAsync(work, source, "amd64");
            var other = await DockerFormAsync(
                Directory.CreateDirectory(Path.Combine(work, "other")).FullName,
                source,
                "arm64"
            );
            (amd64, arm64) = (docker.Manifests.Single(), other.Manifests.Single());
            docker.Take(other);
            layout = docker;
        }

        return layout.Index(
            Layout.Tagged(
                layout.AddIndex(mediaType, Layout.For(amd64, "linux", "amd64"), Layout.For(arm64, "linux", "arm64")),
                "2.0"
            )
        );
    }

    public static async Task<Layout> SeveralPlatformsOneTaggedAsync(string work)
    {
        var (layout, amd64, arm64) = await TwoPlatformsAsync(work);
        var index = layout.AddIndex(
            Layout.OciIndex,
            Layout.For(amd64, "linux", "amd64"),
            Layout.For(arm64, "linux", "arm64")
        );
        return layout.Index(Layout.Tagged(index, "2.0"), Layout.Tagged(arm64, "2.0-arm64"));
    }

    public static async Task<Layout> NestedAsync(string work)
    {
        var (layout, amd64, arm64) = await TwoPlatformsAsync(work);
        var inner = layout.AddIndex(
            Layout.OciIndex,
            Layout.For(arm64, "linux", "arm64"),
            Layout.For(amd64, "linux", "amd64")
        );
        return layout.Index(Layout.Tagged(layout.AddIndex(Layout.OciIndex, inner), "nested"));
    }

    public static async Task<Layout> Sha512Async(string work)
    {
        var ordinary = await MakeAsync(work, "amd64");
        var manifest = ordinary.Read(ordinary.Manifests.Single());
        var layout = new Layout();
        foreach (var blob in manifest["layers"]!.AsArray().Append(manifest["config"]).Select(one => one!.AsObject()))
        {
            var bytes = ordinary.Files[Layout.PathOf(Layout.Digest(blob))];
            blob["digest"] = Layout.Digest(layout.Add("", bytes, "sha512"));
        }

        return layout.Index(Layout.Tagged(layout.Add(Layout.OciManifest, manifest, "sha512"), "long"));
    }

    public static async Task<Layout> WithArtifactAndReferrerAsync(string work)
    {
        var layout = await MakeAsync(work, "amd64");
        var image = layout.Manifests.Single();
        var empty = layout.Add("application/vnd.oci.empty.v1+json", "{}"u8.ToArray());
        var artifact = layout.Add(
            Layout.OciManifest,
            new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = Layout.OciManifest,
                ["artifactType"] = "application/vnd.example.chart",
                ["config"] = empty.DeepClone(),
                ["layers"] = new JsonArray(layout.Add("text/plain", "a chart"u8.ToArray())),
            }
        );
        var plain = image.DeepClone().AsObject();
        plain.Remove("annotations");
        // It has an image's config, so that only its subject can keep it out of the list.
        var referrer = layout.Read(image);
        referrer["subject"] = plain;
        referrer["annotations"] = new JsonObject { ["org.example.signed"] = "yes" };
        return layout.Index(image, artifact, layout.Add(Layout.OciManifest, referrer));
    }
}
