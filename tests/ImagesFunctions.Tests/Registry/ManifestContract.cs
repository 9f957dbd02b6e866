using System.Net;

namespace ImagesFunctions.Tests.Registry;

/// <summary>What a push of a manifest promises, sentence by sentence.</summary>
public sealed class ManifestContract(KestrelFixture fixture) : AgainstManifests(fixture)
{
    [Fact]
    public async Task An_image_is_listed_the_moment_its_push_ends_and_not_before()
    {
        var client = await ClientAsync();
        var token = await Host.TokenForAsync(Account);
        var layout = Layout.Small("listed", "v1", "v2");
        await client.PushAsync(Repository, layout);

        var listed = Assert.Single((await Host.ListAsync(token, $"namespace={Repository}")).Images);

        Assert.Equal(
            ImagesList.Canonical(layout.Listed(Repository, layout.Manifests[0], "listed", "v1", "v2")),
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

        await client.PushAsync(Repository, layout);

        foreach (var one in new[] { image, other, index, nested, none, docker, list, artifact, sha512 })
        {
            var pulled = await client.GetAsync($"/v2/{Repository}/manifests/{Layout.Digest(one)}");
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
        var config = await client.PushBlobAsync(Repository, "{}"u8.ToArray());
        var image = Manifest(config, layers: [Missing]);
        var index = Json(
            $$"""{"schemaVersion":2,"mediaType":"{{Layout.OciIndex}}","manifests":[{"mediaType":"{{Layout.OciManifest}}","digest":"{{Missing}}","size":2}]}"""
        );
        foreach (var (bytes, type) in new[] { (image, Layout.OciManifest), (index, Layout.OciIndex) })
        {
            foreach (var reference in new[] { "latest", Layout.DigestOf(bytes) })
            {
                var reply = await client.PutManifestAsync(Repository, reference, bytes, type);

                Is(HttpStatusCode.NotFound, "MANIFEST_BLOB_UNKNOWN", reply);
                Assert.Contains(Missing, reply.Text, StringComparison.Ordinal);
                foreach (var path in new[] { $"manifests/{reference}", $"blobs/{Layout.DigestOf(bytes)}", "tags/list" })
                {
                    Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"/v2/{Repository}/{path}")).Status);
                }
            }
        }

        Assert.Empty((await Host.StatusAsync(Account)).Waiting);
    }

    [Fact]
    public async Task What_was_missing_does_not_make_a_refused_push_good_by_itself()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(Repository, "{}"u8.ToArray());
        var layer = "layer"u8.ToArray();
        var image = Manifest(config, layers: [Layout.DigestOf(layer)]);
        await client.PutManifestAsync(Repository, "latest", image);

        await client.PushBlobAsync(Repository, layer);

        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync($"/v2/{Repository}/manifests/latest")).Status);
        Assert.Equal(HttpStatusCode.Created, (await client.PutManifestAsync(Repository, "latest", image)).Status);
    }

    [Fact]
    public async Task A_layer_that_need_not_exist_and_a_subject_that_does_not_are_no_reason_to_refuse()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(Repository, "{}"u8.ToArray());
        var bytes = Json(
            $$"""
            {"schemaVersion":2,"mediaType":"{{Layout.OciManifest}}","config":{"mediaType":"{{Empty}}","digest":"{{config}}","size":2},
            "layers":[{"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar","digest":"{{Missing}}","size":3}],
            "subject":{{Subject(Missing)}} }
            """
        );

        var reply = await client.PutManifestAsync(Repository, "v1", bytes);

        Assert.Equal(HttpStatusCode.Created, reply.Status);
        Assert.Equal(Missing, reply["OCI-Subject"]);
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
        var config = await client.PushBlobAsync(Repository, "{}"u8.ToArray());
        var comma = start.Length > 1 ? "," : "";
        var bytes = Json(
            start.Replace("TYPE", Layout.OciManifest, StringComparison.Ordinal)
                + $$"""{{comma}}"schemaVersion":2,"config":{"mediaType":"{{Empty}}","digest":"{{config}}","size":2},"layers":[]}"""
        );

        var reply = await client.PutManifestAsync(
            Repository,
            "v1",
            bytes,
            header?.Replace("TYPE", Layout.OciManifest, StringComparison.Ordinal)
        );

        Assert.Equal(status, reply.Status);
        var pulled = await client.GetAsync($"/v2/{Repository}/manifests/v1");
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
        Is(
            HttpStatusCode.BadRequest,
            "MANIFEST_INVALID",
            await (await ClientAsync()).PutManifestAsync(Repository, "v1", Json(body), null)
        );
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_manifest_of_four_mebibytes_is_taken_and_one_byte_more_is_413(bool chunked)
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(Repository, "{}"u8.ToArray());
        var longest = new byte[4 * 1024 * 1024];
        Array.Fill(longest, (byte)' ');
        Manifest(config).CopyTo(longest, 0);

        var type = ("Content-Type", Layout.OciManifest);
        var taken = await client.SendAsync("PUT", $"/v2/{Repository}/manifests/v1", longest, chunked, type);
        var refused = await client.SendAsync(
            "PUT",
            $"/v2/{Repository}/manifests/v2",
            [.. longest, (byte)' '],
            chunked,
            type
        );

        Assert.Equal(HttpStatusCode.Created, taken.Status);
        Is(HttpStatusCode.RequestEntityTooLarge, "SIZE_INVALID", refused);
        Assert.Equal(longest, (await client.GetAsync($"/v2/{Repository}/manifests/v1")).Bytes);
    }

    [Fact]
    public async Task A_digest_that_is_not_the_bodys_is_400_and_the_same_bytes_again_are_201()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(Repository, "{}"u8.ToArray());
        var bytes = Manifest(config);

        foreach (var wrong in new[] { Missing, "sha256:baddigeststring", "md5:abc" })
        {
            Is(HttpStatusCode.BadRequest, "DIGEST_INVALID", await client.PutManifestAsync(Repository, wrong, bytes));
        }

        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(HttpStatusCode.Created, (await client.PutManifestAsync(Repository, "v1", bytes)).Status);
        }

        Assert.Equal(["v1"], await TagsAsync(client));
    }

    [Fact]
    public async Task A_config_that_is_no_image_config_is_taken_as_it_is()
    {
        var client = await ClientAsync();
        var config = await client.PushBlobAsync(Repository, "no json"u8.ToArray());
        var bytes = Manifest(config, Layout.OciConfig);

        var reply = await client.PutManifestAsync(Repository, "v1", bytes);

        Assert.Equal(HttpStatusCode.Created, reply.Status);
        Assert.Equal(bytes, (await client.GetAsync($"/v2/{Repository}/manifests/v1")).Bytes);
    }
}
