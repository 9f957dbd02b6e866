using System.Formats.Tar;
using System.Net;
using System.Text.Json.Nodes;
using ImagesFunctions.Tests.RealImages;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>What Unikraft Cloud boots from. One test a rule of its loader, or of the contract.</summary>
public sealed class BootContract(KestrelFixture fixture) : AgainstBootTars(fixture)
{
    [Fact]
    public async Task A_tag_leads_to_the_digest_of_the_tar_as_it_is_served_on_the_same_host()
    {
        var (account, token, _) = await ImageAsync();

        var found = await Host.AskAsync($"/boot/{account}/team/web/v1", token);
        var location = found["Location"]!;
        var tar = await Host.AskAsync(location, token);

        Assert.Equal(302, found.Status);
        Assert.Matches($"^/boot/{account}/team/web/@sha256:[0-9a-f]{{64}}$", location);
        Assert.Equal(200, tar.Status);
        Assert.Equal(location.Split('@')[1], Layout.DigestOf(tar.Body));
        Assert.Equal("application/vnd.oci.layout.v1+tar", tar["Content-Type"]);
        Assert.Equal($"\"{location.Split('@')[1]}\"", tar["ETag"]);
        Assert.Contains("immutable", tar["Cache-Control"], StringComparison.Ordinal);
        Assert.Null(tar["Content-Encoding"]);
        Assert.Equal(tar.Body.Length.ToString(), tar["Content-Length"]);
    }

    [Fact]
    public async Task The_tar_is_a_layout_whose_folders_come_before_what_is_in_them_and_whose_index_has_every_platform()
    {
        var (account, token, layout) = await ImageAsync();

        var entries = Entries(await TarAsync(account, token, "v1"));

        Assert.Equal(
            ["./", "oci-layout", "index.json", "blobs/", "blobs/sha256/"],
            entries.Take(5).Select(e => e.Name)
        );
        Assert.Equal(entries.Count, entries.Select(e => e.Name).Distinct().Count());
        Assert.All(
            entries,
            e =>
                Assert.Equal(
                    (0, 0, DateTimeOffset.UnixEpoch, e.Name.EndsWith('/') ? "755" : "644"),
                    (e.Uid, e.Gid, e.Time, Convert.ToString((int)e.Mode, 8))
                )
        );
        foreach (var (name, bytes) in entries.Where(e => e.Bytes.Length > 0).Select(e => (e.Name, e.Bytes)).Skip(2))
        {
            Assert.Equal(name, Layout.PathOf(Layout.DigestOf(bytes)));
            Assert.Equal(layout.Files[name], bytes);
        }

        var index = JsonNode.Parse(entries.Single(e => e.Name == "index.json").Bytes)!;
        var manifests = index["manifests"]!.AsArray().Select(m => m!.AsObject()).ToList();
        // What boots is the first one, wherever the index has it; what is unknown/unknown is no platform.
        Assert.Equal(
            ["kraftcloud/x86_64", "linux/amd64"],
            manifests.Select(m => $"{m["platform"]!["os"]}/{m["platform"]!["architecture"]}")
        );
        foreach (var manifest in manifests)
        {
            Assert.Equal("v1", manifest["annotations"]!["org.opencontainers.image.ref.name"]!.GetValue<string>());
            Assert.All(layout.Needs(Layout.Digest(manifest)), path => Assert.Contains(entries, e => e.Name == path));
        }
    }

    [Fact]
    public async Task Another_tag_of_the_same_image_is_another_tar_and_the_first_one_lives_on_when_its_tag_moves()
    {
        var (account, token, _) = await ImageAsync();
        var first = (await Host.AskAsync($"/boot/{account}/team/web/v1", token))["Location"]!;
        var second = (await Host.AskAsync($"/boot/{account}/team/web/latest", token))["Location"]!;
        Assert.NotEqual(first, second);

        Assert.Equal(200, (await Host.SendAsync("DELETE", $"/v1/images/tag/{account}/team/web:v1", token)).Status);

        AssertError(HttpStatusCode.NotFound, (await Host.AskAsync($"/boot/{account}/team/web/v1", token)).Answer, 8);
        Assert.Equal(200, (await Host.AskAsync(first, token)).Status);
        var digest = (await Host.ListAsync(token, $"namespace={account}")).Digests.Single();
        Assert.Equal(200, (await Host.SendAsync("DELETE", $"/v1/images/digest/{digest}", token)).Status);
        AssertError(HttpStatusCode.NotFound, (await Host.AskAsync(first, token)).Answer, 8);
    }

    [Theory]
    [InlineData("bytes=0-0")]
    [InlineData("bytes=500-1600")]
    [InlineData("bytes=1000-")]
    [InlineData("bytes=-700")]
    public async Task Ranges_are_those_bytes_of_the_tar(string range)
    {
        var (account, token, _) = await ImageAsync();
        var location = (await Host.AskAsync($"/boot/{account}/team/web/v1", token))["Location"]!;
        var whole = (await Host.AskAsync(location, token)).Body;

        var part = await Host.AskAsync(location, token, null, ("Range", range));

        Assert.Equal(206, part.Status);
        var (first, last) = range["bytes=".Length..].Split('-') switch
        {
            ["", var suffix] => (whole.Length - int.Parse(suffix), whole.Length - 1),
            [var from, ""] => (int.Parse(from), whole.Length - 1),
            var both => (int.Parse(both[0]), int.Parse(both[1])),
        };
        Assert.Equal($"bytes {first}-{last}/{whole.Length}", part["Content-Range"]);
        Assert.Equal(whole[first..(last + 1)], part.Body);
    }

    [Fact]
    public async Task Conditions_and_ranges_beyond_the_end_are_answered_as_of_any_file()
    {
        var (account, token, _) = await ImageAsync();
        var location = (await Host.AskAsync($"/boot/{account}/team/web/v1", token))["Location"]!;
        var head = await Host.SendAsync("HEAD", location, token);

        Assert.Equal(200, head.Status);
        Assert.Equal(304, (await Host.AskAsync(location, token, null, ("If-None-Match", head["ETag"]!))).Status);
        Assert.Equal(416, (await Host.AskAsync(location, token, null, ("Range", "bytes=99999999-"))).Status);
        Assert.Equal(
            200,
            (await Host.AskAsync(location, token, null, ("Range", "bytes=1-2"), ("If-Range", "\"other\""))).Status
        );
    }

    [Fact]
    public async Task The_same_image_in_another_account_makes_the_same_tar_and_nobody_sees_anothers()
    {
        var (alice, token, layout) = await ImageAsync();
        var bob = Drop.Fresh("bobby");
        var other = await Host.TokenForAsync(bob);
        await Host.LayoutAsync($"{bob}/team/web", layout);
        await Host.ListedAsync(other, bob, $"{bob}/team/web@{DigestOf(layout)}");
        await IsBootableAsync(bob, other);

        var (ofAlice, ofBob) = (
            (await Host.AskAsync($"/boot/{alice}/team/web/v1", token))["Location"]!,
            (await Host.AskAsync($"/boot/{bob}/team/web/v1", other))["Location"]!
        );

        Assert.Equal(ofAlice.Split('@')[1], ofBob.Split('@')[1]);
        AssertError(HttpStatusCode.NotFound, (await Host.AskAsync(ofAlice, other)).Answer, 8);
        AssertError(HttpStatusCode.NotFound, (await Host.AskAsync($"/boot/{alice}/team/web/v1", other)).Answer, 8);
    }

    [Fact]
    public async Task An_official_image_is_booted_with_and_without_its_namespace_with_Bearer_and_Basic()
    {
        var world = await World.OfAsync(Host);

        var found = await Host.AskAsync(world.Named("/boot/{hello}/latest"), world.AliceToken);
        var basic = Convert.ToBase64String(System.Text.Encoding.ASCII.GetBytes($"{world.Alice}:{world.AliceToken}"));
        var also = await Host.SendAsync(
            "GET",
            world.Named("/boot/official/{hello}/latest"),
            token: null,
            headers: ("Authorization", $"Basic {basic}")
        );

        Assert.Equal(302, found.Status);
        Assert.Equal((302, found["Location"]), (also.Status, also["Location"]));
    }

    [Theory]
    [InlineData("/boot/{alice}/web/1")]
    [InlineData("/boot/nothing")]
    public async Task Without_a_token_it_is_401_with_a_Basic_challenge(string target)
    {
        var world = await World.OfAsync(Host);

        var reply = await Host.AskAsync(world.Named(target), token: null);

        AssertError(HttpStatusCode.Unauthorized, reply.Answer);
        Assert.StartsWith("Basic ", reply["WWW-Authenticate"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/boot/{alice}", 400)]
    [InlineData("/boot/{alice}/web", 404)]
    [InlineData("/boot/", 400)]
    [InlineData("/boot/{alice}/web/no tag", 400)]
    [InlineData("/boot/{alice}/web/@sha256:12", 400)]
    [InlineData("/boot/{alice}/web/none", 404)]
    [InlineData("/boot/{alice}/web/@{one}", 404)]
    [InlineData("/boot/{alice}/web/1?x", 400)]
    public async Task What_is_malformed_is_400_and_what_is_not_there_404(string target, int status)
    {
        var world = await World.OfAsync(Host);

        var reply = await Host.AskAsync(
            world.Named(target).Replace(" ", "%20", StringComparison.Ordinal),
            world.AliceToken
        );

        Assert.Equal(status, reply.Status);
        AssertError(
            (HttpStatusCode)status,
            reply.Answer,
            target.EndsWith("?x", StringComparison.Ordinal) ? null
                : status == 400 ? 7
                : 8
        );
    }

    [Fact]
    public async Task Skopeo_and_umoci_read_it()
    {
        var (account, token, layout) = await ImageAsync();
        var folder = Directory.CreateTempSubdirectory("boot-");
        try
        {
            var file = Path.Combine(folder.FullName, "boot.tar");
            await File.WriteAllBytesAsync(
                file,
                await TarAsync(account, token, "v1"),
                TestContext.Current.CancellationToken
            );

            // By the tag it is the first one, which is what boots.
            var raw = await Tool.RunAsync("skopeo", "inspect", "--raw", $"oci-archive:{file}:v1");
            var unpacked = folder.CreateSubdirectory("layout").FullName;
            await TarFile.ExtractToDirectoryAsync(
                file,
                unpacked,
                overwriteFiles: true,
                TestContext.Current.CancellationToken
            );

            Assert.Contains(
                Layout.PathOf(Layout.DigestOf(System.Text.Encoding.UTF8.GetBytes(raw.TrimEnd('\n')))),
                layout.Files.Keys
            );
            Assert.Equal("v1", (await Tool.RunAsync("umoci", "ls", "--layout", unpacked)).Split('\n')[0]);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task It_is_sent_as_it_is_to_a_client_that_takes_compressed_answers()
    {
        var (account, token, _) = await ImageAsync();
        var location = (await Host.AskAsync($"/boot/{account}/team/web/v1", token))["Location"]!;

        var plain = await Host.AskAsync(location, token);
        var packed = await Host.AskAsync(location, token, null, ("Accept-Encoding", "gzip, br, zstd"));

        Assert.Equal(
            (200, null, plain["Content-Length"]),
            (packed.Status, packed["Content-Encoding"], packed["Content-Length"])
        );
        Assert.Equal(plain.Body, packed.Body);
        Assert.Contains("no-transform", packed["Cache-Control"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_blob_of_sha512_is_in_the_folder_of_its_algorithm()
    {
        var account = Drop.Fresh("boots");
        var token = await Host.TokenForAsync(account);
        var layout = new Layout();
        var config = layout.Add(Layout.OciConfig, new JsonObject { ["os"] = "linux", ["architecture"] = "amd64" });
        var layer = layout.Add(Layout.OciTar, Layout.Tar("bin/run", "a program"), "sha512");
        var manifest = layout.AddManifest(config, layer);
        layout.Index(Layout.Tagged(manifest, "v1"));
        await Host.LayoutAsync($"{account}/team/web", layout);
        await Host.ListedAsync(token, account, $"{account}/team/web@{Layout.Digest(manifest)}");
        await Until.TrueAsync(
            async () => (await Host.AskAsync($"/boot/{account}/team/web/v1", token)).Status == 302,
            () => Host.ExplainAsync(account)
        );

        var entries = Entries(await TarAsync(account, token, "v1"));

        Assert.Equal("blobs/sha512/", entries[^2].Name);
        Assert.Equal(Layout.PathOf(Layout.Digest(layer)), entries[^1].Name);
        Assert.Equal(layout.Files[entries[^1].Name], entries[^1].Bytes);
    }
}
