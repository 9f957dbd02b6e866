using System.Collections.Concurrent;
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
    private static readonly Dictionary<string, Func<string, Task<Layout>>> Makers = new(StringComparer.Ordinal)
    {
        ["unikernel"] = work => Unikernels.MakeAsync(work, layers => layers),
        ["unikernel with kernel arguments"] = Unikernels.WithCmdlineAsync,
        ["unikernel whose initrd is told by media type"] = work =>
            Unikernels.MakeAsync(
                work,
                layers =>
                {
                    layers[1]["mediaType"] = "application/vnd.unikraft.initrd.v1";
                    layers[1].Remove("annotations");
                    return layers;
                }
            ),
        ["unikernel whose initrd is told by content"] = work =>
            Unikernels.MakeAsync(
                work,
                layers =>
                {
                    layers[1].Remove("annotations");
                    return layers;
                }
            ),
        ["unikernel without initrd"] = work => Unikernels.MakeAsync(work, layers => layers[..1]),
        ["unikernel for two platforms"] = Unikernels.ForTwoPlatformsAsync,
        ["ordinary"] = work => OrdinaryImages.MakeAsync(work, "amd64"),
        ["ordinary with two tags"] = OrdinaryImages.WithTwoTagsAsync,
        ["ordinary in Docker's form"] = OrdinaryImages.DockerAsync,
        ["several platforms"] = work => OrdinaryImages.SeveralPlatformsAsync(work, Layout.OciIndex),
        ["several platforms in Docker's form"] = work => OrdinaryImages.SeveralPlatformsAsync(work, Layout.DockerList),
        ["several platforms, one with its own tag"] = OrdinaryImages.SeveralPlatformsOneTaggedAsync,
        ["nested index"] = OrdinaryImages.NestedAsync,
        ["sha512"] = OrdinaryImages.Sha512Async,
        ["with an artifact and a referrer beside it"] = OrdinaryImages.WithArtifactAndReferrerAsync,
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
}
