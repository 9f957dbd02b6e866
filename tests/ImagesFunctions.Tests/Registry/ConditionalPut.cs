using System.Net;

namespace ImagesFunctions.Tests.Registry;

/// <summary>A push says what it expects to replace (RFC 9110, 13.1); an ETag is the digest.</summary>
public sealed class ConditionalPut(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private readonly string _repository = $"{Drop.Fresh("alice")}/web";

    [Theory]
    [InlineData("If-None-Match", "*", false, true)]
    [InlineData("If-None-Match", "*", true, false)]
    [InlineData("If-None-Match", "\"{one}\"", true, false)]
    [InlineData("If-None-Match", "W/\"{one}\"", true, false)]
    [InlineData("If-None-Match", "\"{two}\"", true, true)]
    [InlineData("If-None-Match", "\"{one}\"", false, true)]
    [InlineData("If-Match", "*", true, true)]
    [InlineData("If-Match", "*", false, false)]
    [InlineData("If-Match", "\"{one}\"", true, true)]
    [InlineData("If-Match", "\"x\", \"{one}\"", true, true)]
    [InlineData("If-Match", "W/\"{one}\"", true, false)]
    [InlineData("If-Match", "\"{two}\"", true, false)]
    [InlineData("If-Match", "\"{one}\"", false, false)]
    public async Task A_tag_is_set_only_where_the_condition_holds(string name, string value, bool isThere, bool holds)
    {
        var (client, one, two) = await ImagesAsync();
        if (isThere)
        {
            await client.PutManifestAsync(_repository, "v", one.Bytes);
        }

        var reply = await PutAsync(client, "v", two.Bytes, (name, Named(value, one, two)));

        Assert.Equal(holds ? HttpStatusCode.Created : HttpStatusCode.PreconditionFailed, reply.Status);
        var now = await client.GetAsync($"/v2/{_repository}/manifests/v");
        Assert.Equal(
            holds ? two.Digest
                : isThere ? one.Digest
                : null,
            now["Docker-Content-Digest"]
        );
        if (holds)
        {
            Assert.Equal($"\"{two.Digest}\"", reply["ETag"]);
        }
    }

    [Fact]
    public async Task A_deleted_image_leaves_no_tag_to_match()
    {
        var (client, one, two) = await ImagesAsync();
        await client.PutManifestAsync(_repository, "v", one.Bytes);
        await client.SendAsync("DELETE", $"/v2/{_repository}/manifests/{one.Digest}");

        var match = await PutAsync(client, "v", two.Bytes, ("If-Match", "*"));
        var noneMatch = await PutAsync(client, "v", two.Bytes, ("If-None-Match", "*"));

        Assert.Equal((HttpStatusCode.PreconditionFailed, HttpStatusCode.Created), (match.Status, noneMatch.Status));
    }

    [Theory]
    [InlineData("If-Match", "sha256")]
    [InlineData("If-None-Match", "\"a")]
    public async Task A_condition_that_cannot_be_read_is_400(string name, string value)
    {
        var (client, one, _) = await ImagesAsync();

        Assert.Equal(HttpStatusCode.BadRequest, (await PutAsync(client, "v", one.Bytes, (name, value))).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"/v2/{_repository}/manifests/v")).Status);
    }

    [Fact]
    public async Task Of_many_that_replace_the_same_image_at_once_one_does()
    {
        var (client, one, _) = await ImagesAsync();
        await client.PutManifestAsync(_repository, "v", one.Bytes);
        var others = new List<(byte[] Bytes, string Digest)>();
        for (var i = 0; i < 8; i++)
        {
            others.Add(await ImageAsync(client, $"other {i}"));
        }

        var replies = await Task.WhenAll(
            others.Select(o => PutAsync(client, "v", o.Bytes, ("If-Match", $"\"{one.Digest}\"")))
        );

        var first = Assert.Single(replies, r => r.Status == HttpStatusCode.Created);
        Assert.All(replies.Where(r => r != first), r => Assert.Equal(HttpStatusCode.PreconditionFailed, r.Status));
        var now = await client.GetAsync($"/v2/{_repository}/manifests/v");
        Assert.Equal(first["Docker-Content-Digest"], now["Docker-Content-Digest"]);
    }

    private static string Named(string value, (byte[] Bytes, string Digest) one, (byte[] Bytes, string Digest) two) =>
        value
            .Replace("{one}", one.Digest, StringComparison.Ordinal)
            .Replace("{two}", two.Digest, StringComparison.Ordinal);

    private Task<Reply> PutAsync(RegistryClient client, string tag, byte[] bytes, (string, string) condition) =>
        client.SendAsync(
            "PUT",
            $"/v2/{_repository}/manifests/{tag}",
            bytes,
            headers: [("Content-Type", Layout.OciManifest), condition]
        );

    private async Task<(
        RegistryClient Client,
        (byte[] Bytes, string Digest) One,
        (byte[] Bytes, string Digest) Two
    )> ImagesAsync()
    {
        var client = await RegistryClient.ForAsync(Host, _repository.Split('/')[0]);
        return (client, await ImageAsync(client, "one"), await ImageAsync(client, "two"));
    }

    // Its blobs are there; the manifest is not pushed yet.
    private async Task<(byte[] Bytes, string Digest)> ImageAsync(RegistryClient client, string text)
    {
        var layout = Layout.Small(text);
        var manifest = Layout.PathOf(layout.FirstImage);
        foreach (var (path, bytes) in layout.Files)
        {
            if (path.StartsWith("blobs/", StringComparison.Ordinal) && path != manifest)
            {
                await client.PushBlobAsync(_repository, bytes);
            }
        }

        return (layout.Files[manifest], layout.FirstImage);
    }
}
