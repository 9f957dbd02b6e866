using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using ImagesFunctions.Tests.RealImages;

[assembly: AssemblyFixture(typeof(RealLayouts))]

namespace ImagesFunctions.Tests.RealImages;

/// <summary>
/// Image layouts on disk, made by umoci and skopeo once in a test run. Where no tool of Debian writes a form (uncompressed layers with
/// annotations, nested indexes, sha512), the tools' output is composed further here, and the tools read the result again:
/// <see cref="ReadByTheTools"/>.
/// </summary>
public sealed class RealLayouts : IDisposable
{
    private const int LargestFile = 1_500_000;

    private static readonly Dictionary<string, Func<string, Task<Layout>>> Makers = new(StringComparer.Ordinal)
    {
        ["unikernel"] = work => UnikernelAsync(work, layers => layers),
        ["unikernel with kernel arguments"] = UnikernelWithCmdlineAsync,
        ["unikernel whose initrd is told by media type"] = work =>
            UnikernelAsync(
                work,
                layers =>
                {
                    layers[1]["mediaType"] = "application/vnd.unikraft.initrd.v1";
                    layers[1].Remove("annotations");
                    return layers;
                }
            ),
        ["unikernel whose initrd is told by content"] = work =>
            UnikernelAsync(
                work,
                layers =>
                {
                    layers[1].Remove("annotations");
                    return layers;
                }
            ),
        ["unikernel without initrd"] = work => UnikernelAsync(work, layers => layers[..1]),
        ["unikernel for two platforms"] = UnikernelForTwoPlatformsAsync,
        ["ordinary"] = work => OrdinaryAsync(work, "amd64"),
        ["ordinary with two tags"] = OrdinaryWithTwoTagsAsync,
        ["ordinary in Docker's form"] = DockerAsync,
        ["several platforms"] = work => SeveralPlatformsAsync(work, Layout.OciIndex),
        ["several platforms in Docker's form"] = work => SeveralPlatformsAsync(work, Layout.DockerList),
        ["several platforms, one with its own tag"] = SeveralPlatformsOneTaggedAsync,
        ["nested index"] = NestedAsync,
        ["sha512"] = Sha512Async,
        ["with an artifact and a referrer beside it"] = WithArtifactAndReferrerAsync,
    };

    private readonly Lazy<string> root = new(() => Directory.CreateTempSubdirectory("real-layouts-").FullName);
    private readonly ConcurrentDictionary<string, Lazy<Task<string>>> made = new(StringComparer.Ordinal);

    /// <summary>What there is, as data of a theory.</summary>
    public static TheoryData<string> Kinds => [.. Makers.Keys];

    /// <summary>The folder of the layout, made on first use. Its files are not to be changed.</summary>
    public Task<string> FolderAsync(string kind) =>
        made.GetOrAdd(kind, _ => new Lazy<Task<string>>(() => MakeAsync(kind))).Value;

    public void Dispose()
    {
        if (root.IsValueCreated)
        {
            Directory.Delete(root.Value, recursive: true);
        }
    }

    private async Task<string> MakeAsync(string kind)
    {
        var work = Directory.CreateDirectory(Path.Combine(root.Value, Guid.NewGuid().ToString("N"))).FullName;
        var layout = await Makers[kind](work);
        var folder = Path.Combine(work, "layout");
        layout.Pruned().WriteTo(folder);
        return folder;
    }

    /// <summary>kraftkit's shape: tag -> index -> manifest of kraftcloud/x86_64 -> uncompressed tars of one file each.</summary>
    private static async Task<Layout> UnikernelAsync(string work, Func<JsonObject[], JsonObject[]> reshape)
    {
        var (layout, manifest) = await UnikernelManifestAsync(
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

    private static async Task<Layout> UnikernelWithCmdlineAsync(string work)
    {
        var source = Path.Combine(work, "cmdline.txt");
        await File.WriteAllTextAsync(source, "vfs.fstab=[ \"initrd0:/:extract\" ] -- -c /etc/app.conf");
        var tar = Path.Combine(work, "cmdline.tar");
        // Absolute names, as some writers of such layers have them.
        await Tool.RunAsync("tar", ["-C", work, "--transform", "s,^,/unikraft/,", "-P", "-cf", tar, "cmdline.txt"]);
        var (layout, manifest) = await UnikernelManifestAsync(
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
    private static async Task<Layout> UnikernelForTwoPlatformsAsync(string work)
    {
        var initrd = await TarAsync(work, "unikraft/bin/initrd");
        var (layout, qemu) = await UnikernelManifestAsync(
            Directory.CreateDirectory(Path.Combine(work, "qemu")).FullName,
            "qemu",
            ["--for", "qemu"],
            layers => layers,
            await TarAsync(work, "unikraft/bin/kernel"),
            initrd
        );
        var (other, cloud) = await UnikernelManifestAsync(
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

    private static async Task<(Layout Layout, JsonObject Manifest)> UnikernelManifestAsync(
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

    private static async Task<Layout> OrdinaryAsync(string work, string architecture)
    {
        var folder = await UmociAsync(
            Path.Combine(work, "ordinary"),
            "1.0",
            OrdinaryConfig(architecture),
            await TarAsync(work, "bin/server"),
            await TarAsync(work, "etc/server.conf"),
            await TarAsync(work, "srv/page.html")
        );
        return Layout.FromFolder(folder);
    }

    private static string[] OrdinaryConfig(string architecture) =>
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

    private static async Task<Layout> OrdinaryWithTwoTagsAsync(string work)
    {
        var layout = await OrdinaryAsync(work, "amd64");
        var image = layout.Manifests.Single();
        // Not in order: the list must sort them, capitals before small letters.
        return layout.Index(Layout.Tagged(image, "v1.0"), Layout.Tagged(image, "latest"), Layout.Tagged(image, "RC_1"));
    }

    private static async Task<Layout> DockerAsync(string work)
    {
        var source = Path.Combine(work, "source");
        (await OrdinaryAsync(work, "amd64")).WriteTo(source);
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
            await UmociAsync(
                folder,
                architecture,
                OrdinaryConfig(architecture),
                shared,
                await TarAsync(work, "bin/server")
            );
        }

        var layout = Layout.FromFolder(folder);
        return (layout, layout.Manifests[0], layout.Manifests[1]);
    }

    private static async Task<Layout> SeveralPlatformsAsync(string work, string mediaType)
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

    private static async Task<Layout> SeveralPlatformsOneTaggedAsync(string work)
    {
        var (layout, amd64, arm64) = await TwoPlatformsAsync(work);
        var index = layout.AddIndex(
            Layout.OciIndex,
            Layout.For(amd64, "linux", "amd64"),
            Layout.For(arm64, "linux", "arm64")
        );
        return layout.Index(Layout.Tagged(index, "2.0"), Layout.Tagged(arm64, "2.0-arm64"));
    }

    private static async Task<Layout> NestedAsync(string work)
    {
        var (layout, amd64, arm64) = await TwoPlatformsAsync(work);
        var inner = layout.AddIndex(
            Layout.OciIndex,
            Layout.For(arm64, "linux", "arm64"),
            Layout.For(amd64, "linux", "amd64")
        );
        return layout.Index(Layout.Tagged(layout.AddIndex(Layout.OciIndex, inner), "nested"));
    }

    private static async Task<Layout> Sha512Async(string work)
    {
        var ordinary = await OrdinaryAsync(work, "amd64");
        var manifest = ordinary.Read(ordinary.Manifests.Single());
        var layout = new Layout();
        foreach (var blob in manifest["layers"]!.AsArray().Append(manifest["config"]).Select(one => one!.AsObject()))
        {
            var bytes = ordinary.Files[Layout.PathOf(Layout.Digest(blob))];
            blob["digest"] = Layout.Digest(layout.Add("", bytes, "sha512"));
        }

        return layout.Index(Layout.Tagged(layout.Add(Layout.OciManifest, manifest, "sha512"), "long"));
    }

    private static async Task<Layout> WithArtifactAndReferrerAsync(string work)
    {
        var layout = await OrdinaryAsync(work, "amd64");
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

    /// <summary>Adds an image of these layers and this configuration to a layout, which is made if it is not there.</summary>
    private static async Task<string> UmociAsync(string folder, string tag, string[] config, params string[] tars)
    {
        if (!Directory.Exists(folder))
        {
            await Tool.RunAsync("umoci", "init", "--layout", folder);
        }

        await Tool.RunAsync("umoci", "new", "--image", $"{folder}:{tag}");
        foreach (var tar in tars)
        {
            await Tool.RunAsync("umoci", "raw", "add-layer", "--image", $"{folder}:{tag}", tar);
        }

        await Tool.RunAsync("umoci", ["config", "--image", $"{folder}:{tag}", .. config]);
        return folder;
    }

    /// <summary>A tar with one file of random bytes, written by GNU tar.</summary>
    private static async Task<string> TarAsync(string work, string path)
    {
        var tree = Path.Combine(work, $"tree-{Guid.NewGuid():N}");
        var file = Path.Combine(tree, path);
        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllBytesAsync(
            file,
            RandomNumberGenerator.GetBytes(RandomNumberGenerator.GetInt32(1, LargestFile))
        );
        var tar = $"{tree}.tar";
        await Tool.RunAsync("tar", "-C", tree, "-cf", tar, path);
        return tar;
    }
}
