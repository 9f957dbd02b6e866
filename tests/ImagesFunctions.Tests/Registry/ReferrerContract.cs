using System.Net;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.Registry;

/// <summary>What is listed of the manifests that name another one as their subject.</summary>
public sealed class ReferrerContract(KestrelFixture fixture) : AgainstManifests(fixture)
{
    [Fact]
    public async Task Referrers_are_listed_with_type_and_annotations_and_filtered_by_type()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(Repository, "{}"u8.ToArray());
        var subject = Manifest(config);
        var digest = Layout.DigestOf(subject);
        await client.PutManifestAsync(Repository, "v1", subject);
        var sbom = Referrer(config, digest, "\"artifactType\":\"a/sbom\",\"annotations\":{\"k\":\"v\",\"é\":\"<&>\"},");
        var signature = Referrer(config, digest, "");
        var index = Json(
            $$"""{"schemaVersion":2,"mediaType":"{{Layout.OciIndex}}","manifests":[],"subject":{{Subject(digest)}} }"""
        );
        await PushAsync(
            client,
            digest,
            (sbom, Layout.OciManifest),
            (signature, Layout.OciManifest),
            (index, Layout.OciIndex)
        );
        var path = $"/v2/{Repository}/referrers/{digest}";

        var all = await client.GetAsync(path);
        var filtered = await client.GetAsync($"{path}?artifactType=a%2Fsbom");
        var byConfig = await client.GetAsync($"{path}?artifactType={Uri.EscapeDataString(Empty)}");

        Assert.Equal(Layout.OciIndex, all["Content-Type"]);
        Assert.Null(all["OCI-Filters-Applied"]);
        Assert.Equal(2, all.Json["schemaVersion"]!.GetValue<int>());
        Assert.Equal(Layout.OciIndex, all.Json["mediaType"]!.GetValue<string>());
        AreListed(
            all,
            (sbom, Layout.OciManifest, ""","artifactType":"a/sbom","annotations":{"k":"v","é":"<&>"}"""),
            (signature, Layout.OciManifest, $",\"artifactType\":\"{Empty}\""),
            (index, Layout.OciIndex, "")
        );
        Assert.Equal("artifactType", filtered["OCI-Filters-Applied"]);
        Assert.Equal(Layout.DigestOf(sbom), Layout.Digest(Assert.Single(Listed(filtered))));
        Assert.Equal(Layout.DigestOf(signature), Layout.Digest(Assert.Single(Listed(byConfig))));

        var deleted = await client.SendAsync("DELETE", $"/v2/{Repository}/manifests/{Layout.DigestOf(sbom)}");
        Assert.Equal(HttpStatusCode.Accepted, deleted.Status);
        Assert.Equal(2, Listed(await client.GetAsync(path)).Count);
    }

    [Fact]
    public async Task Referrers_of_what_is_unknown_are_none_and_of_a_malformed_digest_400()
    {
        var client = await ClientAsync();

        var none = await client.GetAsync($"/v2/{Repository}/referrers/{Missing}?artifactType=x");

        Assert.Equal(HttpStatusCode.OK, none.Status);
        Assert.Equal($$"""{"schemaVersion":2,"mediaType":"{{Layout.OciIndex}}","manifests":[]}""", none.Text);
        Assert.Equal("artifactType", none["OCI-Filters-Applied"]);
        Is(HttpStatusCode.BadRequest, "DIGEST_INVALID", await client.GetAsync($"/v2/{Repository}/referrers/sha256:x"));
    }

    [Fact]
    public async Task Referrers_that_do_not_fit_into_four_mebibytes_come_in_pages()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(Repository, "{}"u8.ToArray());
        var pushed = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            var bytes = Referrer(config, Missing, $"\"annotations\":{{\"long{i}\":\"{new string('x', 1_500_000)}\"}},");
            pushed.Add(Layout.DigestOf(bytes));
            var put = await client.PutManifestAsync(Repository, pushed[^1], bytes);
            Assert.Equal(HttpStatusCode.Created, put.Status);
        }

        var listed = new List<string>();
        for (string? path = $"/v2/{Repository}/referrers/{Missing}"; path is not null; )
        {
            var page = await client.GetAsync(path);
            Assert.True(page.Bytes.Length <= 4 * 1024 * 1024, $"{page.Bytes.Length} bytes");
            listed.AddRange(Listed(page).Select(Layout.Digest));
            path = Next(page);
        }

        Assert.Equal(pushed.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    private async Task PushAsync(RegistryClient client, string subject, params (byte[] Bytes, string Type)[] referrers)
    {
        foreach (var (bytes, type) in referrers)
        {
            var put = await client.PutManifestAsync(Repository, Layout.DigestOf(bytes), bytes, type);
            Assert.Equal(HttpStatusCode.Created, put.Status);
            Assert.Equal(subject, put["OCI-Subject"]);
        }
    }

    private static List<JsonObject> Listed(Reply page) =>
        [.. page.Json["manifests"]!.AsArray().Select(m => m!.AsObject())];

    // These and no others; more: the members of a descriptor that follow its digest.
    private static void AreListed(Reply page, params (byte[] Bytes, string Type, string More)[] referrers)
    {
        var expected = referrers.ToDictionary(
            r => Layout.DigestOf(r.Bytes),
            r =>
                $$"""{"mediaType":"{{r.Type}}","size":{{r.Bytes.Length}},"digest":"{{Layout.DigestOf(r.Bytes)}}"{{r.More}} }""",
            StringComparer.Ordinal
        );
        var listed = Listed(page);
        Assert.Equal(expected.Count, listed.Count);
        foreach (var one in listed)
        {
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected[Layout.Digest(one)]), one), one.ToJsonString());
        }
    }

    private static byte[] Referrer(string config, string subject, string more) =>
        Json(
            $$"""{"schemaVersion":2,"mediaType":"{{Layout.OciManifest}}",{{more}}"config":{"mediaType":"{{Empty}}","digest":"{{config}}","size":2},"layers":[],"subject":{{Subject(subject)}} }"""
        );
}
