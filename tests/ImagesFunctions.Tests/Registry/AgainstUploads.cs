using System.Net;
using System.Security.Cryptography;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace ImagesFunctions.Tests.Registry;

/// <summary>Tests of uploads: bytes at random, and what is there when one has ended or was refused.</summary>
public abstract class AgainstUploads(KestrelFixture fixture) : AgainstARegistry(fixture)
{
    protected const int MiB = 1024 * 1024;

    protected static byte[] Some(int length) => RandomNumberGenerator.GetBytes(length);

    protected void IsCreated(Reply reply, string digest)
    {
        Assert.True(reply.Status == HttpStatusCode.Created, $"{(int)reply.Status} {reply.Text}");
        Assert.Equal($"/v2/{Repository}/blobs/{digest}", reply["Location"]);
        Assert.Equal(digest, reply["Docker-Content-Digest"]);
        Assert.Equal("0", reply["Content-Length"]);
    }

    protected async Task IsThereAsync(RegistryClient client, string digest, byte[] bytes)
    {
        var pulled = await client.GetAsync($"/v2/{Repository}/blobs/{digest}");
        Assert.Equal(HttpStatusCode.OK, pulled.Status);
        Assert.Equal(bytes, pulled.Bytes);
        // At its place in the layout, and nowhere else.
        Assert.Equal([$"{Repository}/{Layout.PathOf(digest)}"], await BlobsAsync(Host.Storage.Images, Repository));
    }

    protected static async Task IsAtAsync(RegistryClient client, string location, string range)
    {
        var reply = await client.GetAsync(location);
        Assert.Equal(HttpStatusCode.NoContent, reply.Status);
        Assert.Equal(range, reply["Range"]);
        Assert.Equal(location.Split('?')[0], reply["Location"]);
    }

    protected static async Task IsOverAsync(RegistryClient client, string location)
    {
        foreach (var method in new[] { "GET", "PATCH", "PUT", "DELETE" })
        {
            var path = method == "PUT" ? $"{location}?digest={Layout.DigestOf([1, 2, 3])}" : location;
            Is(HttpStatusCode.NotFound, "BLOB_UPLOAD_UNKNOWN", await client.SendAsync(method, path));
        }
    }

    protected async Task LeavesNothingAsync() => Assert.Empty(await BlobsAsync(Host.Storage.Uploads, Account));

    protected static async Task<IReadOnlyList<string>> BlobsAsync(BlobContainerClient container, string prefix)
    {
        var names = new List<string>();
        await foreach (
            var blob in container.GetBlobsAsync(
                BlobTraits.None,
                BlobStates.None,
                prefix + "/",
                TestContext.Current.CancellationToken
            )
        )
        {
            names.Add(blob.Name);
        }

        return names;
    }
}
