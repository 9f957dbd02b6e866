using System.Net;
using System.Security.Cryptography;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Registry;

/// <summary>The registry on storage whose keys it does not have: what it copies and gives away is signed by its identity.</summary>
public sealed class AsAnIdentity
{
    private const string Account = "alice";
    private const string Repo = "alice/web";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Pulls_are_redirected_to_storage_by_an_address_that_is_good_for_that_blob_alone()
    {
        await using var azurite = await SecureAzurite.StartAsync();
        await using var node = new Node(azurite.Storage, ("RedirectPulls", "true"));
        var client = new NodeRegistry(node, Account, await NodeRegistry.TokenAsync(node, Account));
        var layout = Layout.Small("redirected", "v1");
        Assert.Equal(HttpStatusCode.Created, (await client.PushAsync(Repo, layout, "v1")).Status);
        var layer = layout.FirstLayer["blobs/".Length..].Replace('/', ':');

        var reply = await client.SendAsync("GET", $"/v2/{Repo}/blobs/{layer}");

        Assert.Equal(HttpStatusCode.TemporaryRedirect, reply.Status);
        Assert.Equal(layer, reply["Docker-Content-Digest"]);
        Assert.Equal("no-store", reply["Cache-Control"]);
        var location = new Uri(reply["Location"]!);
        Assert.Contains("skoid=", location.Query, StringComparison.Ordinal);
        Assert.Contains("sp=r&", location.Query + "&", StringComparison.Ordinal);
        Assert.Equal(layout.Files[layout.FirstLayer], await azurite.Http.GetByteArrayAsync(location, Stop));
        using var put = await azurite.Http.PutAsync(location, new ByteArrayContent([1]), Stop);
        Assert.False(put.IsSuccessStatusCode);
        var other = new UriBuilder(location) { Path = location.AbsolutePath[..^1] + "0" };
        using var others = await azurite.Http.GetAsync(other.Uri, Stop);
        Assert.False(others.IsSuccessStatusCode);

        // Looking needs no redirect, and manifests are small.
        Assert.Equal(HttpStatusCode.OK, (await client.SendAsync("HEAD", $"/v2/{Repo}/blobs/{layer}")).Status);
        Assert.Equal(HttpStatusCode.OK, (await client.SendAsync("GET", $"/v2/{Repo}/manifests/v1")).Status);
        Assert.Equal(
            HttpStatusCode.NotFound,
            (await client.SendAsync("GET", $"/v2/{Repo}/blobs/{Layout.DigestOf([1])}")).Status
        );
    }

    [Fact]
    public async Task Chunks_are_copied_to_their_place_inside_storage()
    {
        await using var azurite = await SecureAzurite.StartAsync();
        await using var node = new Node(azurite.Storage);
        var client = new NodeRegistry(node, Account, await NodeRegistry.TokenAsync(node, Account));
        var bytes = RandomNumberGenerator.GetBytes(5_000_000);
        var digest = Layout.DigestOf(bytes);
        foreach (var chunks in new[] { 1, 3 })
        {
            var repo = $"{Repo}{chunks}";
            var location = (await client.SendAsync("POST", $"/v2/{repo}/blobs/uploads/"))["Location"]!;
            foreach (var chunk in bytes.Chunk((bytes.Length + chunks - 1) / chunks))
            {
                Assert.Equal(
                    HttpStatusCode.Accepted,
                    (await client.SendAsync("PATCH", location, chunk, chunked: true)).Status
                );
            }

            var put = await client.SendAsync("PUT", $"{location}?digest={digest}");

            Assert.True(put.Status == HttpStatusCode.Created, put.Text);
            Assert.Equal(bytes, (await client.SendAsync("GET", $"/v2/{repo}/blobs/{digest}")).Bytes);
        }
    }
}
