using System.Text.Json.Nodes;
using static ImagesFunctions.Tests.RealImages.LayoutTools;

namespace ImagesFunctions.Tests.RealImages;

/// <summary>Layouts of kraftkit's shape, each written into a folder of its own.</summary>
internal static class Unikernels
{
    /// <summary>kraftkit's shape: tag -> index -> manifest of kraftcloud/x86_64 -> uncompressed tars of one file each.</summary>
    public static async Task<Layout> MakeAsync(string work, Func<JsonObject[], JsonObject[]> reshape)
    {
        var (layout, manifest) = await ManifestAsync(
            work,
            "kraftcloud",
            ["-c", "/etc/app.conf"],
            reshape,
            await TarAsync(work, "unikraft/bin/kernel"),
            await TarAsync(work, "unikraft/bin/initrd")
        );
        return layout.Index(
            Layout.Tagged(layout.AddIndex(Layout.OciIndex, Layout.For(manifest, "kraftcloud", "x86_64")), "latest")
        );
    }

    public static async Task<Layout> WithCmdlineAsync(string work)
    {
        var source = Path.Combine(work, "cmdline.txt");
        await File.WriteAllTextAsync(source, "vfs.fstab=[ \"initrd0:/:extract\" ] -- -c /etc/app.conf");
        var tar = Path.Combine(work, "cmdline.tar");
        // Absolute names, as some writers of such layers have them.
        await Tool.RunAsync("tar", ["-C", work, "--transform", "s,^,/unikraft/,", "-P", "-cf", tar, "cmdline.txt"]);
        var (layout, manifest) = await ManifestAsync(
            work,
            "kraftcloud",
            ["-c", "/etc/app.conf"],
            layers => layers,
            await TarAsync(work, "unikraft/bin/kernel"),
            await TarAsync(work, "unikraft/bin/initrd"),
            tar
        );
        return layout.Index(
            Layout.Tagged(layout.AddIndex(Layout.OciIndex, Layout.For(manifest, "kraftcloud", "x86_64")), "stable")
        );
    }

    /// <summary>The facts are those of kraftcloud, though qemu comes first; the two share their initrd.</summary>
    public static async Task<Layout> ForTwoPlatformsAsync(string work)
    {
        var initrd = await TarAsync(work, "unikraft/bin/initrd");
        var (layout, qemu) = await ManifestAsync(
            Directory.CreateDirectory(Path.Combine(work, "qemu")).FullName,
            "qemu",
            ["--for", "qemu"],
            layers => layers,
            await TarAsync(work, "unikraft/bin/kernel"),
            initrd
        );
        var (other, cloud) = await ManifestAsync(
            Directory.CreateDirectory(Path.Combine(work, "kraftcloud")).FullName,
            "kraftcloud",
            ["--for", "kraftcloud"],
            layers => layers,
            await TarAsync(work, "unikraft/bin/kernel"),
            initrd
        );
        layout.Take(other);
        return layout.Index(
            Layout.Tagged(
                layout.AddIndex(
                    Layout.OciIndex,
                    Layout.For(qemu, "qemu", "x86_64"),
                    Layout.For(cloud, "kraftcloud", "x86_64")
                ),
                "latest"
            )
        );
    }

    private static async Task<(Layout Layout, JsonObject Manifest)> ManifestAsync(
        string work,
        string os,
        string[] cmd,
        Func<JsonObject[], JsonObject[]> reshape,
        params string[] tars
    )
    {
        var compressed = await UmociAsync(
            Path.Combine(work, "compressed"),
            "made",
            [
                "--os",
                os,
                "--architecture",
                "x86_64",
                .. cmd.SelectMany(one => new[] { "--config.cmd", one }),
                "--config.env",
                "HOME=/",
                "--config.label",
                "org.example.team=web",
                "--config.label",
                "empty=",
            ],
            tars
        );
        // umoci always compresses; Unikraft's layers are plain tars.
        var plain = Path.Combine(work, "plain");
        await Tool.RunAsync("skopeo", "copy", "--dest-decompress", $"oci:{compressed}:made", $"dir:{plain}-dir");
        await Tool.RunAsync(
            "skopeo",
            "copy",
            "--dest-oci-accept-uncompressed-layers",
            $"dir:{plain}-dir",
            $"oci:{plain}:made"
        );
        var layout = Layout.FromFolder(plain);
        var manifest = layout.Read(layout.Manifests.Single());
        var layers = manifest["layers"]!.AsArray().Select(layer => layer!.DeepClone().AsObject()).ToArray();
        Assert.All(layers, layer => Assert.Equal(Layout.OciTar, layer["mediaType"]!.GetValue<string>()));
        layers[0]["annotations"] = new JsonObject { ["org.unikraft.kernel.image"] = "/unikraft/bin/kernel" };
        layers[1]["annotations"] = new JsonObject { ["org.unikraft.kernel.initrd"] = "/unikraft/bin/initrd" };
        return (layout, layout.AddManifest(manifest["config"]!.AsObject(), reshape(layers)));
    }
}
