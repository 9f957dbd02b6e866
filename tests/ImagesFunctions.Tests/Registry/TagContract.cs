using System.Net;

namespace ImagesFunctions.Tests.Registry;

/// <summary>What pushes of tags promise, and the lists of tags and of repositories.</summary>
public sealed class TagContract(KestrelFixture fixture) : AgainstManifests(fixture)
{
    [Fact]
    public async Task A_digest_is_pushed_with_up_to_ninety_tags_all_or_none()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(Repository, "{}"u8.ToArray());
        var bytes = Manifest(config);
        var digest = Layout.DigestOf(bytes);
        var tags = Enumerable.Range(100, 90).Select(i => $"t{i}").ToArray();
        var query = string.Join('&', tags.Select(t => $"tag={t}"));

        var many = await client.PutManifestAsync(Repository, $"{digest}?{query}&tag=t200", bytes);
        Assert.Equal(HttpStatusCode.RequestUriTooLong, many.Status);
        var bad = await client.PutManifestAsync(Repository, $"{digest}?tag=good&tag=-bad", bytes);
        Is(HttpStatusCode.BadRequest, "MANIFEST_INVALID", bad);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"/v2/{Repository}/tags/list")).Status);

        var reply = await client.PutManifestAsync(Repository, $"{digest}?{query}", bytes);

        Assert.Equal(HttpStatusCode.Created, reply.Status);
        Assert.Equal(tags, reply["OCI-Tag"]!.Split(", "));
        Assert.Equal(tags, await TagsAsync(client));
        Assert.Null((await client.PutManifestAsync(Repository, "one", bytes))["OCI-Tag"]);
    }

    [Fact]
    public async Task Tags_come_in_ordinal_order_in_pages_that_link_to_the_next()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(Repository, "{}"u8.ToArray());
        string[] tags = ["10", "9", "B", "_", "a", "a-b", "a.b", "b"];
        var query = string.Join('&', tags.Reverse().Select(t => $"tag={t}"));
        var bytes = Manifest(config);
        await client.PutManifestAsync(Repository, $"{Layout.DigestOf(bytes)}?{query}", bytes);
        var ordered = tags.Order(StringComparer.Ordinal).ToArray();

        Assert.Equal(ordered, await TagsAsync(client));
        Assert.Equal(ordered[3..], await TagsAsync(client, "?last=B"));
        Assert.Equal(ordered[3..], await TagsAsync(client, "?last=C"));
        Assert.Equal(ordered[1..3], await TagsAsync(client, "?n=2&last=10"));
        Assert.Empty(await TagsAsync(client, "?n=0"));
        Assert.Null((await client.GetAsync($"/v2/{Repository}/tags/list?n=0"))["Link"]);
        Assert.Null((await client.GetAsync($"/v2/{Repository}/tags/list?n={tags.Length}"))["Link"]);
        // More than one answer ever holds is no mistake: clients ask for all there is in this way.
        Assert.Equal(ordered, await TagsAsync(client, "?n=99999999999999999999"));
        foreach (var bad in new[] { "-1", "x", "", "1.5", "+1", " 1", "１" })
        {
            Assert.Equal(
                HttpStatusCode.BadRequest,
                (await client.GetAsync($"/v2/{Repository}/tags/list?n={bad}")).Status
            );
        }

        Assert.Equal(ordered, await FollowAsync(client, $"/v2/{Repository}/tags/list?n=3", "tags"));
    }

    [Fact]
    public async Task A_repository_without_tags_has_an_empty_list_and_an_unknown_one_none()
    {
        var client = await ClientAsync();
        var path = $"/v2/{Repository}/tags/list";
        Is(HttpStatusCode.NotFound, "NAME_UNKNOWN", await client.GetAsync(path));
        var config = await client.PushBlobAsync(Repository, "{}"u8.ToArray());
        var bytes = Manifest(config);

        await client.PutManifestAsync(Repository, Layout.DigestOf(bytes), bytes);

        Assert.Equal($$"""{"name":"{{Repository}}","tags":[]}""", (await client.GetAsync(path)).Text);

        await client.PutManifestAsync(Repository, "v1", bytes);
        await client.SendAsync("DELETE", $"/v2/{Repository}/manifests/{Layout.DigestOf(bytes)}");

        // It is known until its last rows are swept.
        Assert.Equal($$"""{"name":"{{Repository}}","tags":[]}""", (await client.GetAsync(path)).Text);
    }

    [Fact]
    public async Task The_catalog_has_the_accounts_repositories_and_the_official_ones_in_pages()
    {
        var client = await ClientAsync();
        var official = Drop.Fresh("nginx");
        await (await RegistryClient.ForAsync(Host, "official")).PushAsync(official, Layout.Small("o", "v1"));
        await (await RegistryClient.ForAsync(Host, Drop.Fresh("bob"))).GetAsync("/v2/");
        string[] apps = ["a", "a-b", "a/b", "b"];
        foreach (var app in apps)
        {
            await client.PushAsync($"{Account}/{app}", Layout.Small(app, "v1"));
        }

        await client.PushBlobAsync($"{Account}/only-a-blob", "x"u8.ToArray());

        var own = apps.Select(app => $"{Account}/{app}").Order(StringComparer.Ordinal).ToArray();
        var all = await FollowAsync(client, "/v2/_catalog", "repositories");
        Assert.Equal(own, all.Where(r => !r.StartsWith("official/", StringComparison.Ordinal)));
        Assert.Contains($"official/{official}", all);
        Assert.Equal(all, await FollowAsync(client, "/v2/_catalog?n=2", "repositories"));
        Assert.Equal(all[1..], await FollowAsync(client, $"/v2/_catalog?last={all[0]}", "repositories"));
    }
}
