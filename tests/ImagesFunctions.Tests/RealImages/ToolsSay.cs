using System.Globalization;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.RealImages;

/// <summary>
/// What the list must say of a layout on disk, according to the tools alone: skopeo reads the manifests and configs, jq picks members,
/// sha256sum and sha512sum make digests, stat counts bytes, tar looks into layers.
/// </summary>
public sealed class ToolsSay(string folder)
{
    private const string RefName = "org.opencontainers.image.ref.name";
    private string IndexJson => $"{folder}/index.json";

    /// <summary>Every tagged image of the layout, as the list must show it, in the list's order.</summary>
    public async Task<JsonObject[]> OfAsync(string repository)
    {
        var images = new List<JsonObject>();
        var tagged = await Tool.LinesAsync(
            "jq",
            "-r",
            $".manifests[] | select(.annotations[\"{RefName}\"]) | .digest",
            IndexJson
        );
        foreach (var digest in tagged.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal))
        {
            images.Add(await OneAsync(repository, digest));
        }

        return [.. images];
    }

    private async Task<JsonObject> OneAsync(string repository, string named)
    {
        // An official image goes by its bare name.
        var shown = repository.StartsWith("official/", StringComparison.Ordinal)
            ? repository["official/".Length..]
            : repository;
        var tags = await Tool.LinesAsync(
            "jq",
            "-r",
            "--arg",
            "digest",
            named,
            $".manifests[] | select(.digest == $digest) | .annotations[\"{RefName}\"]",
            IndexJson
        );
        var manifest = await InspectedAsync(tags[0]);
        var digest = await DigestAsync(manifest, named.Split(':')[0]);
        Assert.Equal(named, digest);
        var leaves = await LeavesAsync(manifest);
        var leaf = await UnikernelAsync(manifest) ?? leaves[0];
        var config = await ConfigAsync(leaf);
        return new JsonObject
        {
            ["digest"] = $"{shown}@{digest}",
            ["tags"] = new JsonArray([
                .. tags.Order(StringComparer.Ordinal).Select(tag => JsonValue.Create($"{shown}:{tag}")),
            ]),
            ["initrd"] = await InitrdAsync(leaf),
            ["size_in_bytes"] = await SizeAsync(leaves),
            ["args"] = (
                await Tool.RunAsync(
                    "jq",
                    "-j",
                    "[.config | (.Entrypoint // [])[], (.Cmd // [])[]] | join(\" \")",
                    config
                )
            ),
            ["kernel_args"] = await KernelArgumentsAsync(leaf),
            ["labels"] = JsonNode.Parse(await Tool.RunAsync("jq", ".config.Labels // {}", config)),
        };
    }

    /// <summary>What skopeo reads under a tag, byte for byte, in a file.</summary>
    private async Task<string> InspectedAsync(string tag)
    {
        var raw = await Tool.RunAsync("skopeo", "inspect", "--raw", await SourceAsync(tag));
        var file = $"{folder}.{Guid.NewGuid():N}";
        await File.WriteAllTextAsync(file, raw);
        return file;
    }

    /// <summary>
    /// The name by which skopeo reads what has this tag. In a layout it looks at OCI media types only; Docker's manifests it reads from a
    /// plain folder of blobs, which is the same files by other names.
    /// </summary>
    public async Task<string> SourceAsync(string tag)
    {
        var named = await Tool.LinesAsync(
            "jq",
            "-r",
            "--arg",
            "tag",
            tag,
            $".manifests[] | select(.annotations[\"{RefName}\"] == $tag) | .mediaType, .digest",
            IndexJson
        );
        if (!named[0].StartsWith("application/vnd.docker.", StringComparison.Ordinal))
        {
            return $"oci:{folder}:{tag}";
        }

        var plain = Directory.CreateDirectory($"{folder}.{Guid.NewGuid():N}").FullName;
        foreach (var blob in Directory.EnumerateFiles(Path.Combine(folder, "blobs", "sha256")))
        {
            var name = Path.Combine(plain, Path.GetFileName(blob));
            File.Copy(blob, name);
            File.Copy(blob, $"{name}.manifest.json");
        }

        File.Copy(Blob(named[1]), Path.Combine(plain, "manifest.json"));
        return $"dir:{plain}";
    }

    /// <summary>The manifests of the platforms, depth first.</summary>
    private async Task<List<string>> LeavesAsync(string manifest)
    {
        var children = await Tool.LinesAsync("jq", "-r", ".manifests[]?.digest", manifest);
        if (children.Length == 0)
        {
            return [manifest];
        }

        var leaves = new List<string>();
        foreach (var child in children)
        {
            leaves.AddRange(await LeavesAsync(Blob(child)));
        }

        return leaves;
    }

    private async Task<string?> UnikernelAsync(string manifest)
    {
        var found = await Tool.LinesAsync(
            "jq",
            "-r",
            ".manifests[]? | select(.platform.os == \"kraftcloud\" and .platform.architecture == \"x86_64\") | .digest",
            manifest
        );
        return found.Length == 0 ? null : Blob(found[0]);
    }

    private async Task<long> SizeAsync(List<string> leaves)
    {
        var digests = await Tool.LinesAsync("jq", ["-r", "(.config, .layers[]).digest", .. leaves]);
        var blobs = digests.Distinct(StringComparer.Ordinal).Select(Blob);
        var sizes = await Tool.LinesAsync("stat", ["-c", "%s", .. blobs]);
        return sizes.Sum(size => long.Parse(size, CultureInfo.InvariantCulture));
    }

    private async Task<bool> InitrdAsync(string leaf)
    {
        var told = await Tool.RunAsync(
            "jq",
            "-j",
            "[.layers[] | (.annotations // {} | has(\"org.unikraft.kernel.initrd\")) or (.mediaType | startswith(\"application/vnd.unikraft.initrd.v1\"))] | any",
            leaf
        );
        foreach (var layer in await PlainTarsAsync(leaf))
        {
            if (await Tool.RunAsync("tar", "-tf", layer) == "unikraft/bin/initrd\n")
            {
                return true;
            }
        }

        return told == "true";
    }

    private async Task<string> KernelArgumentsAsync(string leaf)
    {
        foreach (var layer in await PlainTarsAsync(leaf))
        {
            var name = (await Tool.LinesAsync("tar", "-P", "-tf", layer)).FirstOrDefault(entry =>
                entry.TrimStart('/') == "unikraft/cmdline.txt"
            );
            if (name is not null)
            {
                return await Tool.RunAsync("tar", "-P", "-xOf", layer, name);
            }
        }

        return "";
    }

    private async Task<IEnumerable<string>> PlainTarsAsync(string leaf) =>
        (
            await Tool.LinesAsync("jq", "-r", $".layers[] | select(.mediaType == \"{Layout.OciTar}\") | .digest", leaf)
        ).Select(Blob);

    private async Task<string> ConfigAsync(string leaf) =>
        Blob((await Tool.RunAsync("jq", "-j", ".config.digest", leaf)));

    public static async Task<string> DigestAsync(string file, string algorithm) =>
        $"{algorithm}:{(await Tool.RunAsync($"{algorithm}sum", file)).Split(' ')[0]}";

    private string Blob(string digest) => $"{folder}/blobs/{digest.Replace(':', '/')}";
}
