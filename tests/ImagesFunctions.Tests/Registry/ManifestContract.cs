using System.Net;
using System.Text;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.Registry;

/// <summary>What pushes of manifests, tags, referrers and deletes promise, on whatever host it runs.</summary>
public sealed class ManifestContract(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private const string Missing = "sha256:00000000000000000000000000000000000000000000000000000000000000aa";
    private const string Empty = "application/vnd.oci.empty.v1+json";

    private readonly string repository = $"{Drop.Fresh("alice")}/app";

    private string Account => repository.Split('/')[0];

    [Fact]
    public async Task An_image_is_listed_the_moment_its_push_ends_and_not_before()
    {
        var client = await ClientAsync();
        var token = await Host.TokenForAsync(Account);
        var layout = Layout.Small("listed", "v1", "v2");
        await client.PushAsync(repository, layout);

        var listed = Assert.Single((await Host.ListAsync(token, $"namespace={repository}")).Images);

        Assert.Equal(
            ImagesList.Canonical(layout.Listed(repository, layout.Manifests[0], "listed", "v1", "v2")),
            ImagesList.Canonical(listed)
        );
    }

    [Fact]
    public async Task Everything_that_is_a_manifest_can_be_pushed_and_pulled()
    {
        var client = await ClientAsync();
        var layout = new Layout();
        var image = layout.AddImage("one");
        var other = layout.AddImage("two");
        var index = layout.AddIndex(
            Layout.OciIndex,
            Layout.For(image, "linux", "amd64"),
            Layout.For(other, "linux", "arm64")
        );
        var nested = layout.AddIndex(Layout.OciIndex, index, image);
        var none = layout.AddIndex(Layout.OciIndex);
        var config = layout.Add("application/vnd.docker.container.image.v1+json", "{}"u8.ToArray());
        var docker = layout.Add(
            Layout.DockerManifest,
            Json(
                $$"""{"schemaVersion":2,"mediaType":"{{Layout.DockerManifest}}","config":{{config.ToJsonString()}},"layers":[]}"""
            )
        );
        var list = layout.AddIndex(Layout.DockerList, docker);
        var blob = layout.Add(Empty, "{}"u8.ToArray());
        var artifact = layout.Add(
            Layout.OciManifest,
            Json(
                $$"""{"schemaVersion":2,"mediaType":"{{Layout.OciManifest}}","artifactType":"x/y","config":{{blob.ToJsonString()}},"layers":[{{blob.ToJsonString()}}]}"""
            )
        );
        var sha512 = layout.Add(
            Layout.OciManifest,
            Json(
                $$"""{"schemaVersion":2,"mediaType":"{{Layout.OciManifest}}","config":{{layout.Add(Empty, "{}"u8.ToArray(), "sha512").ToJsonString()}},"layers":[]}"""
            ),
            "sha512"
        );
        layout.Index(Layout.Tagged(nested, "nested"), none, Layout.Tagged(list, "list"), artifact, sha512);

        await client.PushAsync(repository, layout);

        foreach (var one in new[] { image, other, index, nested, none, docker, list, artifact, sha512 })
        {
            var pulled = await client.GetAsync($"/v2/{repository}/manifests/{Layout.Digest(one)}");
            Assert.Equal(HttpStatusCode.OK, pulled.Status);
            Assert.Equal(layout.Files[Layout.PathOf(Layout.Digest(one))], pulled.Bytes);
            Assert.Equal(one["mediaType"]!.GetValue<string>(), pulled["Content-Type"]);
            Assert.Equal(Layout.Digest(one), pulled["Docker-Content-Digest"]);
        }
    }

    [Fact]
    public async Task A_missing_blob_or_child_is_404_names_what_is_missing_and_leaves_nothing()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(repository, "{}"u8.ToArray());
        var image = Manifest(config, layers: [Missing]);
        var index = Json(
            $$"""{"schemaVersion":2,"mediaType":"{{Layout.OciIndex}}","manifests":[{"mediaType":"{{Layout.OciManifest}}","digest":"{{Missing}}","size":2}]}"""
        );
        foreach (var (bytes, type) in new[] { (image, Layout.OciManifest), (index, Layout.OciIndex) })
        {
            foreach (var reference in new[] { "latest", Layout.DigestOf(bytes) })
            {
                var reply = await client.PutManifestAsync(repository, reference, bytes, type);

                RegistryContract.Is(HttpStatusCode.NotFound, "MANIFEST_BLOB_UNKNOWN", reply);
                Assert.Contains(Missing, reply.Text, StringComparison.Ordinal);
                foreach (var path in new[] { $"manifests/{reference}", $"blobs/{Layout.DigestOf(bytes)}", "tags/list" })
                {
                    Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"/v2/{repository}/{path}")).Status);
                }
            }
        }

        Assert.Empty((await Host.StatusAsync(Account)).Waiting);
    }

    [Fact]
    public async Task What_was_missing_does_not_make_a_refused_push_good_by_itself()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(repository, "{}"u8.ToArray());
        var layer = "layer"u8.ToArray();
        var image = Manifest(config, layers: [Layout.DigestOf(layer)]);
        await client.PutManifestAsync(repository, "latest", image);

        await client.PushBlobAsync(repository, layer);

        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"/v2/{repository}/manifests/latest")).Status);
        Assert.Equal(HttpStatusCode.Created, (await client.PutManifestAsync(repository, "latest", image)).Status);
    }

    [Fact]
    public async Task A_layer_that_need_not_exist_and_a_subject_that_does_not_are_no_reason_to_refuse()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(repository, "{}"u8.ToArray());
        var bytes = Json(
            $$"""
            {"schemaVersion":2,"mediaType":"{{Layout.OciManifest}}","config":{"mediaType":"{{Empty}}","digest":"{{config}}","size":2},
            "layers":[{"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar","digest":"{{Missing}}","size":3}],
            "subject":{{Subject(Missing)}} }
            """
        );

        var reply = await client.PutManifestAsync(repository, "v1", bytes);

        Assert.Equal(HttpStatusCode.Created, reply.Status);
        Assert.Equal(Missing, reply["OCI-Subject"]);
    }

    [Fact]
    public async Task A_digest_is_pushed_with_up_to_ninety_tags_all_or_none()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(repository, "{}"u8.ToArray());
        var bytes = Manifest(config);
        var digest = Layout.DigestOf(bytes);
        var tags = Enumerable.Range(100, 90).Select(i => $"t{i}").ToArray();
        var query = string.Join('&', tags.Select(t => $"tag={t}"));

        var many = await client.PutManifestAsync(repository, $"{digest}?{query}&tag=t200", bytes);
        Assert.Equal(HttpStatusCode.RequestUriTooLong, many.Status);
        var bad = await client.PutManifestAsync(repository, $"{digest}?tag=good&tag=-bad", bytes);
        RegistryContract.Is(HttpStatusCode.BadRequest, "MANIFEST_INVALID", bad);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"/v2/{repository}/tags/list")).Status);

        var reply = await client.PutManifestAsync(repository, $"{digest}?{query}", bytes);

        Assert.Equal(HttpStatusCode.Created, reply.Status);
        Assert.Equal(tags, reply["OCI-Tag"]!.Split(", "));
        Assert.Equal(tags, await TagsAsync(client));
        Assert.Null((await client.PutManifestAsync(repository, "one", bytes))["OCI-Tag"]);
    }

    [Theory]
    [InlineData(null, "{\"mediaType\":\"TYPE\"", HttpStatusCode.Created)]
    [InlineData(null, "{", HttpStatusCode.Created)]
    [InlineData("TYPE; charset=utf-8", "{", HttpStatusCode.Created)]
    [InlineData("application/vnd.oci.image.index.v1+json", "{", HttpStatusCode.BadRequest)]
    [InlineData("TYPE", "{\"mediaType\":\"application/vnd.oci.image.index.v1+json\"", HttpStatusCode.BadRequest)]
    [InlineData("application/json", "{", HttpStatusCode.BadRequest)]
    public async Task The_media_type_is_the_headers_else_the_bodys_else_its_shape_and_a_contradiction_is_400(
        string? header,
        string start,
        HttpStatusCode status
    )
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(repository, "{}"u8.ToArray());
        var comma = start.Length > 1 ? "," : "";
        var bytes = Json(
            start.Replace("TYPE", Layout.OciManifest, StringComparison.Ordinal)
                + $$"""{{comma}}"schemaVersion":2,"config":{"mediaType":"{{Empty}}","digest":"{{config}}","size":2},"layers":[]}"""
        );

        var reply = await client.PutManifestAsync(
            repository,
            "v1",
            bytes,
            header?.Replace("TYPE", Layout.OciManifest, StringComparison.Ordinal)
        );

        Assert.Equal(status, reply.Status);
        var pulled = await client.GetAsync($"/v2/{repository}/manifests/v1");
        if (status == HttpStatusCode.Created)
        {
            Assert.Equal(Layout.OciManifest, pulled["Content-Type"]);
        }
        else
        {
            Assert.Equal("MANIFEST_INVALID", reply.Code);
            Assert.Equal(HttpStatusCode.NotFound, pulled.Status);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("no json")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"schemaVersion":1,"manifests":[]}""")]
    [InlineData("""{"config":{"mediaType":"a/b","digest":"sha256:x","size":2}}""")]
    public async Task What_is_no_manifest_is_400(string body)
    {
        RegistryContract.Is(
            HttpStatusCode.BadRequest,
            "MANIFEST_INVALID",
            await (await ClientAsync()).PutManifestAsync(repository, "v1", Json(body), null)
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_manifest_of_four_mebibytes_is_taken_and_one_byte_more_is_413(bool chunked)
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(repository, "{}"u8.ToArray());
        var longest = new byte[4 * 1024 * 1024];
        Array.Fill(longest, (byte)' ');
        Manifest(config).CopyTo(longest, 0);

        var type = ("Content-Type", Layout.OciManifest);
        var taken = await client.SendAsync("PUT", $"/v2/{repository}/manifests/v1", longest, chunked, type);
        var refused = await client.SendAsync(
            "PUT",
            $"/v2/{repository}/manifests/v2",
            [.. longest, (byte)' '],
            chunked,
            type
        );

        Assert.Equal(HttpStatusCode.Created, taken.Status);
        RegistryContract.Is(HttpStatusCode.RequestEntityTooLarge, "SIZE_INVALID", refused);
        Assert.Equal(longest, (await client.GetAsync($"/v2/{repository}/manifests/v1")).Bytes);
    }

    [Fact]
    public async Task A_digest_that_is_not_the_bodys_is_400_and_the_same_bytes_again_are_201()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(repository, "{}"u8.ToArray());
        var bytes = Manifest(config);

        foreach (var wrong in new[] { Missing, "sha256:baddigeststring", "md5:abc" })
        {
            RegistryContract.Is(
                HttpStatusCode.BadRequest,
                "DIGEST_INVALID",
                await client.PutManifestAsync(repository, wrong, bytes)
            );
        }

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.Created, (await client.PutManifestAsync(repository, "v1", bytes)).Status);
        }

        Assert.Equal(["v1"], await TagsAsync(client));
    }

    [Fact]
    public async Task A_config_that_is_no_image_config_is_taken_as_it_is()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(repository, "no json"u8.ToArray());
        var bytes = Manifest(config, Layout.OciConfig);

        var reply = await client.PutManifestAsync(repository, "v1", bytes);

        Assert.Equal(HttpStatusCode.Created, reply.Status);
        Assert.Equal(bytes, (await client.GetAsync($"/v2/{repository}/manifests/v1")).Bytes);
    }

    [Fact]
    public async Task Tags_come_in_ordinal_order_in_pages_that_link_to_the_next()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(repository, "{}"u8.ToArray());
        string[] tags = ["10", "9", "B", "_", "a", "a-b", "a.b", "b"];
        var query = string.Join('&', tags.Reverse().Select(t => $"tag={t}"));
        var bytes = Manifest(config);
        await client.PutManifestAsync(repository, $"{Layout.DigestOf(bytes)}?{query}", bytes);
        var ordered = tags.Order(StringComparer.Ordinal).ToArray();

        Assert.Equal(ordered, await TagsAsync(client));
        Assert.Equal(ordered[3..], await TagsAsync(client, "?last=B"));
        Assert.Equal(ordered[3..], await TagsAsync(client, "?last=C"));
        Assert.Equal(ordered[1..3], await TagsAsync(client, "?n=2&last=10"));
        Assert.Empty(await TagsAsync(client, "?n=0"));
        Assert.Null((await client.GetAsync($"/v2/{repository}/tags/list?n=0"))["Link"]);
        Assert.Null((await client.GetAsync($"/v2/{repository}/tags/list?n={tags.Length}"))["Link"]);
        // More than one answer ever holds is no mistake: clients ask for all there is in this way.
        Assert.Equal(ordered, await TagsAsync(client, "?n=99999999999999999999"));
        foreach (var bad in new[] { "-1", "x", "", "1.5", "+1", " 1", "１" })
        {
            Assert.Equal(
                HttpStatusCode.BadRequest,
                (await client.GetAsync($"/v2/{repository}/tags/list?n={bad}")).Status
            );
        }

        Assert.Equal(ordered, await FollowAsync(client, $"/v2/{repository}/tags/list?n=3", "tags"));
    }

    [Fact]
    public async Task A_repository_without_tags_has_an_empty_list_and_an_unknown_one_none()
    {
        var client = await ClientAsync();
        var path = $"/v2/{repository}/tags/list";
        RegistryContract.Is(HttpStatusCode.NotFound, "NAME_UNKNOWN", await client.GetAsync(path));
        var config = await client.PushBlobAsync(repository, "{}"u8.ToArray());
        var bytes = Manifest(config);

        await client.PutManifestAsync(repository, Layout.DigestOf(bytes), bytes);

        Assert.Equal($$"""{"name":"{{repository}}","tags":[]}""", (await client.GetAsync(path)).Text);

        await client.PutManifestAsync(repository, "v1", bytes);
        await client.SendAsync("DELETE", $"/v2/{repository}/manifests/{Layout.DigestOf(bytes)}");

        // It is known until its last rows are swept.
        Assert.Equal($$"""{"name":"{{repository}}","tags":[]}""", (await client.GetAsync(path)).Text);
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

    [Fact]
    public async Task Referrers_are_listed_with_type_and_annotations_and_filtered_by_type()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(repository, "{}"u8.ToArray());
        var subject = Manifest(config);
        var digest = Layout.DigestOf(subject);
        await client.PutManifestAsync(repository, "v1", subject);
        var sbom = Referrer(config, digest, "\"artifactType\":\"a/sbom\",\"annotations\":{\"k\":\"v\",\"é\":\"<&>\"},");
        var signature = Referrer(config, digest, "");
        var index = Json(
            $$"""{"schemaVersion":2,"mediaType":"{{Layout.OciIndex}}","manifests":[],"subject":{{Subject(digest)}} }"""
        );
        foreach (
            var (bytes, type) in new[]
            {
                (sbom, Layout.OciManifest),
                (signature, Layout.OciManifest),
                (index, Layout.OciIndex),
            }
        )
        {
            var put = await client.PutManifestAsync(repository, Layout.DigestOf(bytes), bytes, type);
            Assert.Equal(HttpStatusCode.Created, put.Status);
            Assert.Equal(digest, put["OCI-Subject"]);
        }

        var all = await client.GetAsync($"/v2/{repository}/referrers/{digest}");
        var filtered = await client.GetAsync($"/v2/{repository}/referrers/{digest}?artifactType=a%2Fsbom");
        var byConfig = await client.GetAsync(
            $"/v2/{repository}/referrers/{digest}?artifactType={Uri.EscapeDataString(Empty)}"
        );

        Assert.Equal(Layout.OciIndex, all["Content-Type"]);
        Assert.Null(all["OCI-Filters-Applied"]);
        Assert.Equal(2, all.Json["schemaVersion"]!.GetValue<int>());
        Assert.Equal(Layout.OciIndex, all.Json["mediaType"]!.GetValue<string>());
        var expected = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Layout.DigestOf(sbom)] =
                $$"""{"mediaType":"{{Layout.OciManifest}}","size":{{sbom.Length}},"digest":"{{Layout.DigestOf(sbom)}}","artifactType":"a/sbom","annotations":{"k":"v","é":"<&>"} }""",
            [Layout.DigestOf(signature)] =
                $$"""{"mediaType":"{{Layout.OciManifest}}","size":{{signature.Length}},"digest":"{{Layout.DigestOf(signature)}}","artifactType":"{{Empty}}"}""",
            [Layout.DigestOf(index)] =
                $$"""{"mediaType":"{{Layout.OciIndex}}","size":{{index.Length}},"digest":"{{Layout.DigestOf(index)}}"}""",
        };
        var listed = all.Json["manifests"]!.AsArray().Select(m => m!.AsObject()).ToList();
        Assert.Equal(3, listed.Count);
        foreach (var one in listed)
        {
            Assert.True(JsonNode.DeepEquals(JsonNode.Parse(expected[Layout.Digest(one)]), one), one.ToJsonString());
        }

        Assert.Equal("artifactType", filtered["OCI-Filters-Applied"]);
        Assert.Equal(
            Layout.DigestOf(sbom),
            Layout.Digest(Assert.Single(filtered.Json["manifests"]!.AsArray())!.AsObject())
        );
        Assert.Equal(
            Layout.DigestOf(signature),
            Layout.Digest(Assert.Single(byConfig.Json["manifests"]!.AsArray())!.AsObject())
        );

        Assert.Equal(
            HttpStatusCode.Accepted,
            (await client.SendAsync("DELETE", $"/v2/{repository}/manifests/{Layout.DigestOf(sbom)}")).Status
        );
        Assert.Equal(
            2,
            (await client.GetAsync($"/v2/{repository}/referrers/{digest}")).Json["manifests"]!.AsArray().Count
        );
    }

    [Fact]
    public async Task Referrers_of_what_is_unknown_are_none_and_of_a_malformed_digest_400()
    {
        var client = await ClientAsync();

        var none = await client.GetAsync($"/v2/{repository}/referrers/{Missing}?artifactType=x");

        Assert.Equal(HttpStatusCode.OK, none.Status);
        Assert.Equal($$"""{"schemaVersion":2,"mediaType":"{{Layout.OciIndex}}","manifests":[]}""", none.Text);
        Assert.Equal("artifactType", none["OCI-Filters-Applied"]);
        RegistryContract.Is(
            HttpStatusCode.BadRequest,
            "DIGEST_INVALID",
            await client.GetAsync($"/v2/{repository}/referrers/sha256:x")
        );
    }

    [Fact]
    public async Task Referrers_that_do_not_fit_into_four_mebibytes_come_in_pages()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(repository, "{}"u8.ToArray());
        var pushed = new List<string>();
        for (var i = 0; i < 4; i++)
        {
            var bytes = Referrer(config, Missing, $"\"annotations\":{{\"long{i}\":\"{new string('x', 1_500_000)}\"}},");
            pushed.Add(Layout.DigestOf(bytes));
            var put = await client.PutManifestAsync(repository, pushed[^1], bytes);
            Assert.Equal(HttpStatusCode.Created, put.Status);
        }

        var listed = new List<string>();
        for (string? path = $"/v2/{repository}/referrers/{Missing}"; path is not null; )
        {
            var page = await client.GetAsync(path);
            Assert.True(page.Bytes.Length <= 4 * 1024 * 1024, $"{page.Bytes.Length} bytes");
            listed.AddRange(page.Json["manifests"]!.AsArray().Select(m => Layout.Digest(m!.AsObject())));
            path = Next(page);
        }

        Assert.Equal(pushed.Order(StringComparer.Ordinal), listed.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Deletes_are_visible_at_once_and_what_is_needed_is_405_naming_who_needs_it()
    {
        var client = await ClientAsync();
        var token = await Host.TokenForAsync(Account);
        var layout = new Layout();
        var image = layout.AddImage("one");
        var index = layout.AddIndex(Layout.OciIndex, Layout.For(image, "linux", "amd64"));
        layout.Index(Layout.Tagged(index, "v1"), Layout.Tagged(index, "v2"));
        await client.PushAsync(repository, layout);
        var layer = Layout.Digest(layout.Read(image)["layers"]![0]!.AsObject());
        await client.PushBlobAsync($"{repository}2", layout.Files[Layout.PathOf(layer)]);

        await IsNeededAsync(client, $"blobs/{layer}", Layout.Digest(image));
        await IsNeededAsync(client, $"manifests/{Layout.Digest(image)}", Layout.Digest(index));
        await IsNeededAsync(client, $"blobs/{Layout.Digest(index)}", Layout.Digest(index));

        await DeleteAsync(client, "manifests/v1");
        Assert.Equal(["v2"], await TagsAsync(client));
        Assert.Equal(
            HttpStatusCode.OK,
            (await client.GetAsync($"/v2/{repository}/manifests/{Layout.Digest(index)}")).Status
        );

        await DeleteAsync(client, $"manifests/{Layout.Digest(index)}");
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"/v2/{repository}/manifests/v2")).Status);
        Assert.Empty((await Host.ListAsync(token, $"namespace={repository}")).Images);
        Assert.Equal(
            HttpStatusCode.OK,
            (await client.GetAsync($"/v2/{repository}/manifests/{Layout.Digest(image)}")).Status
        );

        await DeleteAsync(client, $"manifests/{Layout.Digest(image)}");
        await DeleteAsync(client, $"blobs/{layer}");
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/v2/{repository}2/blobs/{layer}")).Status);
        Assert.False(
            await Host
                .Storage.Images.GetBlobClient($"{repository}/{Layout.PathOf(layer)}")
                .ExistsAsync(TestContext.Current.CancellationToken)
        );
    }

    [Fact]
    public async Task A_repository_is_filled_by_drops_and_by_pushes()
    {
        var client = await ClientAsync();
        var token = await Host.TokenForAsync(Account);
        var dropped = Layout.Small("dropped", "one");
        var pushed = Layout.Small("pushed", "two");
        // What a push brings completes what a drop left waiting, and a push finds what was dropped.
        var layer = dropped.FirstLayer;
        await Host.LayoutAsync(repository, dropped, dropped.Files.Keys.Where(p => p != layer));
        await client.PushAsync(repository, pushed);
        await Until.TrueAsync(
            async () => (await Host.StatusAsync(Account)).Waiting.Any(w => w.Missing.Count == 1),
            async () => await Host.ExplainAsync(Account)
        );
        await client.PushBlobAsync(repository, dropped.Files[layer]);

        await Host.ListsExactlyAsync(
            token,
            repository,
            [
                .. new[] { (dropped, "dropped", "one"), (pushed, "pushed", "two") }
                    .OrderBy(l => l.Item1.FirstImage, StringComparer.Ordinal)
                    .Select(l => l.Item1.Listed(repository, l.Item1.Manifests[0], l.Item2, l.Item3)),
            ]
        );
        Assert.Equal(["one", "two"], await TagsAsync(client));
        var again = dropped.Files[Layout.PathOf(dropped.FirstImage)];
        Assert.Equal(HttpStatusCode.Created, (await client.PutManifestAsync(repository, "three", again)).Status);
        Assert.Equal(["one", "three", "two"], await TagsAsync(client));
    }

    [Fact]
    public async Task What_was_overwritten_from_outside_is_never_served_and_a_push_mends_it()
    {
        var client = await ClientAsync();
        var layout = Layout.Small("mended", "v1");
        await client.PushAsync(repository, layout);
        var layer = layout.FirstLayer["blobs/".Length..].Replace('/', ':');

        await Host.FileAsync($"{repository}/{layout.FirstLayer}", "other bytes"u8.ToArray());

        var pulled = await client.GetAsync($"/v2/{repository}/blobs/{layer}");
        RegistryContract.Is(HttpStatusCode.NotFound, "BLOB_UNKNOWN", pulled);
        await client.PushBlobAsync(repository, layout.Files[layout.FirstLayer]);
        Assert.Equal(layout.Files[layout.FirstLayer], (await client.GetAsync($"/v2/{repository}/blobs/{layer}")).Bytes);
        await Until.TrueAsync(
            async () => (await client.GetAsync($"/v2/{repository}/manifests/v1")).Status == HttpStatusCode.OK,
            async () => await Host.ExplainAsync(Account)
        );
    }

    private static byte[] Json(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Manifest(string config, string type = Empty, params string[] layers) =>
        Json(
            $$"""
            {"schemaVersion":2,"mediaType":"{{Layout.OciManifest}}","config":{"mediaType":"{{type}}","digest":"{{config}}","size":2},
            "layers":[{{string.Join(
                ',',
                layers.Select(l => $$"""{"mediaType":"{{Layout.OciTar}}","digest":"{{l}}","size":5}""")
            )}}]}
            """
        );

    private static byte[] Referrer(string config, string subject, string more) =>
        Json(
            $$"""{"schemaVersion":2,"mediaType":"{{Layout.OciManifest}}",{{more}}"config":{"mediaType":"{{Empty}}","digest":"{{config}}","size":2},"layers":[],"subject":{{Subject(subject)}} }"""
        );

    private static string Subject(string digest) =>
        $$"""{"mediaType":"{{Layout.OciManifest}}","digest":"{{digest}}","size":5}""";

    private Task<RegistryClient> ClientAsync() => RegistryClient.ForAsync(Host, Account);

    private async Task<string[]> TagsAsync(RegistryClient client, string query = "")
    {
        var reply = await client.GetAsync($"/v2/{repository}/tags/list{query}");
        Assert.True(reply.Status == HttpStatusCode.OK, reply.Text);
        return [.. reply.Json["tags"]!.AsArray().Select(t => t!.GetValue<string>())];
    }

    private static async Task<string[]> FollowAsync(RegistryClient client, string? path, string member)
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

    private static string? Next(Reply page)
    {
        if (page["Link"] is not { } link)
        {
            return null;
        }

        Assert.EndsWith(">; rel=\"next\"", link, StringComparison.Ordinal);
        return link[1..link.IndexOf('>', StringComparison.Ordinal)];
    }

    private async Task DeleteAsync(RegistryClient client, string path)
    {
        var reply = await client.SendAsync("DELETE", $"/v2/{repository}/{path}");
        Assert.True(reply.Status == HttpStatusCode.Accepted, reply.Text);
        Assert.Equal(HttpStatusCode.NotFound, (await client.SendAsync("HEAD", $"/v2/{repository}/{path}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await client.SendAsync("DELETE", $"/v2/{repository}/{path}")).Status);
    }

    private async Task IsNeededAsync(RegistryClient client, string path, string by)
    {
        var reply = await client.SendAsync("DELETE", $"/v2/{repository}/{path}");
        RegistryContract.Is(HttpStatusCode.MethodNotAllowed, "UNSUPPORTED", reply);
        Assert.Contains(by, reply.Text, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync($"/v2/{repository}/{path}")).Status);
    }
}
