using System.Security.Cryptography;
using ImagesFunctions.Boot;
using ImagesFunctions.Oci;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Faults;

/// <summary>A boot tar is a function of image and tag: whoever makes it, whenever, and from whichever copy of the container.</summary>
public sealed class SameBootTar
{
    private const string Repo = "alice/web";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public Task Is_made_by_three_processes_after_another_push_and_from_a_copy_of_the_container() => MadeAsync(times: 4);

    [LongFact]
    public Task Is_made_a_thousand_times_by_three_processes() => MadeAsync(times: 334);

    private static async Task MadeAsync(int times)
    {
        var layout = new Layout();
        var index = layout.AddIndex(
            Layout.OciIndex,
            Layout.For(layout.AddImage("linux"), "linux", "amd64"),
            Layout.For(layout.AddImage("kraft"), "kraftcloud", "x86_64")
        );
        layout.Index(Layout.Tagged(index, "v1"));
        var connection = await Storages.NewWithTablesAsync();
        Node[] nodes = [new(connection), new(connection), new(connection)];
        await nodes[0].PutAsync(Repo, layout);
        await nodes[0].StartAsync();
        var digest = await DigestAsync(nodes[0]);

        await Task.WhenAll(
            nodes.Select(async node =>
            {
                for (var i = 0; i < times; i++)
                {
                    Assert.Equal(digest, await MadeAnewAsync(node, digest));
                }
            })
        );

        // Dropped again, and dropped into an account whose tables are empty: the tag comes with the layout.
        await nodes[1].PutAsync(Repo, layout);
        await nodes[1].StartAsync();
        Assert.Equal(digest, await DigestAsync(nodes[2]));
        await using var copy = new Node(await Storages.NewWithTablesAsync());
        await copy.PutAsync(Repo, layout);
        await copy.StartAsync();
        Assert.Equal(digest, await DigestAsync(copy));
        foreach (var node in nodes)
        {
            await node.DisposeAsync();
        }
    }

    private static async Task<Digest> DigestAsync(Node node)
    {
        var images = node.Services.GetRequiredService<BootImages>();
        return await images.DigestAsync(Node.Repository(Repo), "v1", isPull: false, () => { }, Stop)
            ?? throw new InvalidOperationException("there is no image to boot");
    }

    // From rows and blobs, byte for byte.
    private static async Task<Digest> MadeAnewAsync(Node node, Digest digest)
    {
        var images = node.Services.GetRequiredService<BootImages>();
        var tar = await images.TarAsync(Node.Repository(Repo), digest, isPull: false, Stop);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await images.CopyAsync(
            tar!,
            0,
            tar!.Length,
            bytes =>
            {
                hash.AppendData(bytes.Span);
                return ValueTask.CompletedTask;
            },
            Stop
        );
        return Node.Digest($"sha256:{Convert.ToHexStringLower(hash.GetHashAndReset())}");
    }
}
