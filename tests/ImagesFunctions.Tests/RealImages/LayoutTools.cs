using System.Security.Cryptography;

namespace ImagesFunctions.Tests.RealImages;

/// <summary>What writes layouts and tars.</summary>
internal static class LayoutTools
{
    private const int LargestFile = 1_500_000;

    /// <summary>Adds an image of these layers and this configuration to a layout, which is made if it is not there.</summary>
    public static async Task<string> UmociAsync(string folder, string tag, string[] config, params string[] tars)
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
    public static async Task<string> TarAsync(string work, string path)
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
