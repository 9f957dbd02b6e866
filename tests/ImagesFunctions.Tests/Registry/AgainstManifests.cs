using System.Net;
using System.Text;

namespace ImagesFunctions.Tests.Registry;

/// <summary>Tests of manifests: small ones to push, and lists to read.</summary>
public abstract class AgainstManifests(KestrelFixture fixture) : AgainstARegistry(fixture)
{
    protected const string Missing = "sha256:00000000000000000000000000000000000000000000000000000000000000aa";
    protected const string Empty = "application/vnd.oci.empty.v1+json";

    protected static byte[] Json(string text) => Encoding.UTF8.GetBytes(text);

    protected static byte[] Manifest(string config, string type = Empty, params string[] layers) =>
        Json(
            $$"""
            {"schemaVersion":2,"mediaType":"{{Layout.OciManifest}}","config":{"mediaType":"{{type}}","digest":"{{config}}","size":2},
            "layers":[{{string.Join(
                ',',
                layers.Select(l => $$"""{"mediaType":"{{Layout.OciTar}}","digest":"{{l}}","size":5}""")
            )}}]}
            """
        );

    protected static string Subject(string digest) =>
        $$"""{"mediaType":"{{Layout.OciManifest}}","digest":"{{digest}}","size":5}""";

    protected async Task<string[]> TagsAsync(RegistryClient client, string query = "")
    {
        var reply = await client.GetAsync($"/v2/{Repository}/tags/list{query}");
        Assert.True(reply.Status == HttpStatusCode.OK, reply.Text);
        return [.. reply.Json["tags"]!.AsArray().Select(t => t!.GetValue<string>())];
    }

    protected static async Task<string[]> FollowAsync(RegistryClient client, string? path, string member)
    {
        var all = new List<string>();
        while (path is not null)
        {
            var page = await client.GetAsync(path);
            Assert.True(page.Status == HttpStatusCode.OK, page.Text);
            all.AddRange(page.Json[member]!.AsArray().Select(t => t!.GetValue<string>()));
            path = Next(page);
        }

        return [.. all];
    }

    protected static string? Next(Reply page)
    {
        if (page["Link"] is not { } link)
        {
            return null;
        }

        Assert.EndsWith(">; rel=\"next\"", link, StringComparison.Ordinal);
        return link[1..link.IndexOf('>', StringComparison.Ordinal)];
    }
}
