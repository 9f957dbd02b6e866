using System.Net;

namespace ImagesFunctions.Tests.Stress;

/// <summary>A client that pulls.</summary>
internal sealed class Puller(Fleet fleet, Goods goods)
{
    /// <summary>Pulls something that has to be there, with all that it names.</summary>
    public async Task PullAsync(string repository, string reference, string item)
    {
        await AreAsync($"/v2/{repository}/manifests/{reference}", item);
        foreach (var manifest in goods.ManifestsOf(item))
        {
            await AreAsync($"/v2/{repository}/manifests/{manifest}", manifest);
            foreach (var blob in goods.BlobsOf(manifest))
            {
                await AreAsync($"/v2/{repository}/blobs/{blob}", blob);
            }
        }
    }

    private async Task AreAsync(string path, string digest)
    {
        var reply = await fleet.SendAsync("GET", path);
        Assert.True(reply.Status == HttpStatusCode.OK, $"{path}: {reply.Status} {reply.Text}");
        Assert.True(goods[digest].AsSpan().SequenceEqual(reply.Bytes), $"{path}: {reply.Bytes.Length} wrong bytes");
    }
}
