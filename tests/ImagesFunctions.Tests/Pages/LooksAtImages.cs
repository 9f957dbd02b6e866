using System.Net;
using System.Text.Json.Nodes;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Pages;

/// <summary>What the pages say of repositories and images, and what their forms do.</summary>
public sealed class LooksAtImages(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private readonly string _account = Drop.Fresh("alice");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Repositories_are_found_by_a_part_of_their_names_and_sorted()
    {
        using var client = await SignedInAsync();
        var registry = await RegistryClient.ForAsync(Host, _account);
        await registry.PushAsync($"{_account}/web/old", Layout.Small("old" + _account, "v1", "v2"));
        await registry.PushAsync($"{_account}/api", Layout.Small("api" + _account, "latest"));

        var all = await client.PageAsync("/browse");
        Assert.True(Index(all, $">{_account}/api<") < Index(all, $">{_account}/web/old<"));
        Assert.Contains("linux/amd64", all, StringComparison.Ordinal);
        var newest = await client.PageAsync("/browse?sort=newest");
        Assert.True(Index(newest, $">{_account}/api<") < Index(newest, $">{_account}/web/old<"));
        var found = await client.PageAsync("/browse?q=WEB");
        Assert.Contains($">{_account}/web/old<", found, StringComparison.Ordinal);
        Assert.DoesNotContain($">{_account}/api<", found, StringComparison.Ordinal);
        Assert.Contains(
            "“nothing-like-it”",
            await client.PageAsync("/browse?q=nothing-like-it"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task A_repository_shows_tagged_and_untagged_images_and_the_lines_to_pull_them()
    {
        using var client = await SignedInAsync();
        var registry = await RegistryClient.ForAsync(Host, _account);
        var (tagged, untagged) = (Layout.Small("one" + _account, "v1", "latest"), Layout.Small("two" + _account));
        await registry.PushAsync($"{_account}/web", tagged);
        await registry.PushAsync($"{_account}/web", untagged);
        var host = Host.Http.BaseAddress!.Authority;

        var page = await client.PageAsync($"/browse/repository/{_account}/web");

        Assert.Contains($"docker pull {host}/{_account}/web:latest", page, StringComparison.Ordinal);
        Assert.Contains(
            $"skopeo copy --all --preserve-digests --src-tls-verify=false docker://{host}/{_account}/web:latest oci:web:latest",
            page,
            StringComparison.Ordinal
        );
        Assert.Contains($"href=\"/browse/image/{_account}/web:v1\"", page, StringComparison.Ordinal);
        Assert.Contains($"href=\"/browse/image/{_account}/web@{untagged.FirstImage}\"", page, StringComparison.Ordinal);
        Assert.Contains("untagged", page, StringComparison.Ordinal);
        var found = await client.PageAsync($"/browse/repository/{_account}/web?q=V1");
        Assert.Contains(tagged.FirstImage, found, StringComparison.Ordinal);
        Assert.DoesNotContain(untagged.FirstImage, found, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_shows_what_runs_and_what_it_is_made_of()
    {
        using var client = await SignedInAsync();
        var index = await Host.HelloAsync(_account);

        var page = await client.PageAsync($"/browse/image/{_account}/hello:latest");

        Assert.Contains(index, page, StringComparison.Ordinal);
        Assert.Contains("Image for several platforms", page, StringComparison.Ordinal);
        foreach (var says in (string[])["kraftcloud/x86_64", "linux/amd64", "Kernel <span", "Initial RAM disk <span"])
        {
            Assert.Contains(says, page, StringComparison.Ordinal);
        }

        Assert.Contains(">--to<", page, StringComparison.Ordinal);
        Assert.Contains("GREETING=hello", page, StringComparison.Ordinal);
        Assert.Contains("Says hello on the serial port and halts", page, StringComparison.Ordinal);
        Assert.Contains($"/boot/{_account}/hello/latest", page, StringComparison.Ordinal);
        Assert.Contains("\"schemaVersion\": 2", page, StringComparison.Ordinal);

        // A platform of it, which no list shows, has a page of its own, with its layers and its config.
        var platform = page.Split("href=\"/browse/image/")
            .Select(link => link.Split('"')[0])
            .First(link =>
                link.Contains("@sha256:", StringComparison.Ordinal) && !link.EndsWith(index, StringComparison.Ordinal)
            );
        var child = await client.PageAsync($"/browse/image/{platform}");
        Assert.Contains("application/vnd.oci.image.layer.v1.tar", child, StringComparison.Ordinal);
        Assert.Contains("\"rootfs\"", child, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_signature_is_shown_at_its_image_without_a_made_up_platform()
    {
        using var client = await SignedInAsync();
        var registry = await RegistryClient.ForAsync(Host, _account);
        var layout = Layout.Small("signed" + _account, "v1");
        await registry.PushAsync($"{_account}/web", layout);
        await SignAsync(registry, layout);

        Assert.Contains("signed</span>", await client.PageAsync("/browse"), StringComparison.Ordinal);
        Assert.Contains(
            "signed</span>",
            await client.PageAsync($"/browse/repository/{_account}/web"),
            StringComparison.Ordinal
        );
        var page = await client.PageAsync($"/browse/image/{_account}/web:v1");
        Assert.Contains("Signature", page, StringComparison.Ordinal);
        Assert.Contains("application/vnd.dev.cosign.artifact.sig.v1+json", page, StringComparison.Ordinal);
        Assert.DoesNotContain("unknown/unknown", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_delete_says_what_else_goes_and_then_takes_it()
    {
        using var client = await SignedInAsync();
        var registry = await RegistryClient.ForAsync(Host, _account);
        var layout = Layout.Small("deleted" + _account, "v1", "v2");
        await registry.PushAsync($"{_account}/web", layout);
        var path = $"/browse/delete/{_account}/web@{layout.FirstImage}";

        var asks = await client.PageAsync(path);
        Assert.Contains("2 tags", asks, StringComparison.Ordinal);
        Assert.Contains("3 layers and configs", asks, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await registry.GetAsync($"/v2/{_account}/web/manifests/v1")).Status);

        var tag = await client.SubmitAsync($"/browse/delete/{_account}/web:v2", $"/browse/delete/{_account}/web:v2");
        Assert.Equal(HttpStatusCode.SeeOther, tag.Status);
        Assert.Equal(HttpStatusCode.NotFound, (await registry.GetAsync($"/v2/{_account}/web/manifests/v2")).Status);
        Assert.Equal(HttpStatusCode.OK, (await registry.GetAsync($"/v2/{_account}/web/manifests/v1")).Status);

        var image = await client.SubmitAsync(path, path);
        Assert.Equal(
            (HttpStatusCode.SeeOther, $"/browse/repository/{_account}/web?deleted=1"),
            (image.Status, image["Location"])
        );
        Assert.Equal(HttpStatusCode.NotFound, (await registry.GetAsync($"/v2/{_account}/web/manifests/v1")).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GetAsync(path)).Status);
    }

    [Fact]
    public async Task What_an_index_needs_is_not_deleted()
    {
        using var client = await SignedInAsync();
        var registry = await RegistryClient.ForAsync(Host, _account);
        var layout = new Layout();
        var image = layout.AddImage("part" + _account);
        var index = layout.AddIndex(Layout.OciIndex, Layout.For(image, "linux", "amd64"));
        await registry.PushAsync($"{_account}/web", layout.Index(Layout.Tagged(index, "v1")));
        var digest = Layout.Digest(image);

        var page = await client.PageAsync($"/browse/delete/{_account}/web@{digest}");

        Assert.Contains($"{Layout.Digest(index)} needs it", page, StringComparison.Ordinal);
        Assert.DoesNotContain(">Delete</button>", page, StringComparison.Ordinal);
        Assert.Contains(
            "1 manifest of platforms",
            await client.PageAsync($"/browse/delete/{_account}/web@{Layout.Digest(index)}"),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Problems_say_what_waits_for_what_and_what_was_refused()
    {
        using var client = await SignedInAsync();
        Assert.Contains("All is well", await client.PageAsync("/browse/problems"), StringComparison.Ordinal);
        var layout = Layout.Small("waits" + _account, "v1");
        var missing = layout.FirstLayer;
        await Host.LayoutAsync($"{_account}/web", layout, layout.Files.Keys.Where(path => path != missing));
        var wrong = $"{_account}/web/{Layout.PathOf(Layout.DigestOf([1, 2, 3]))}";
        await Host.FileAsync(wrong, [4]);
        await Host.RefusedAsync(wrong);
        var waitsFor = missing["blobs/".Length..].Replace('/', ':');
        await Until.TrueAsync(
            async () => (await Host.StatusAsync(_account)).Waiting.Any(w => w.Missing.Contains(waitsFor)),
            () => Host.ExplainAsync(_account)
        );

        var page = await client.PageAsync("/browse/problems");

        Assert.Contains(waitsFor, page, StringComparison.Ordinal);
        Assert.Contains(wrong, page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Activity_shows_the_last_changes_the_newest_first()
    {
        using var client = await SignedInAsync();
        var registry = await RegistryClient.ForAsync(Host, _account);
        await registry.PushAsync($"{_account}/web", Layout.Small("act" + _account, "v1"));
        Assert.Equal(
            HttpStatusCode.Accepted,
            (await registry.SendAsync("DELETE", $"/v2/{_account}/web/manifests/v1")).Status
        );

        var page = await client.PageAsync("/browse/activity");

        Assert.True(Index(page, "Tag removed") < Index(page, "Tag set"));
        Assert.Contains("Stored", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_and_a_repository_say_who_pushed_and_when()
    {
        var (token, text) = await Host.Tokens.CreateAsync(_account, lifetime: null, Stop);
        using var client = await PageClient.SignedInAsync(Host, text);
        var (_, mover) = await Host.Tokens.CreateAsync(_account, lifetime: null, Stop);
        var layout = Layout.Small("who" + _account, "v1");
        await new RegistryClient(Host.Http, RegistryClient.Basic(_account, text)).PushAsync($"{_account}/web", layout);
        var moved = new RegistryClient(Host.Http, RegistryClient.Basic(_account, mover));
        var put = await moved.PutManifestAsync($"{_account}/web", "v2", layout.Files[Layout.PathOf(layout.FirstImage)]);
        Assert.Equal(HttpStatusCode.Created, put.Status);
        var by = $"<a href=\"/browse/tokens#token-{token.Id}\"><code>{token.Id}</code></a>";

        Assert.Contains(by, await client.PageAsync($"/browse/repository/{_account}/web"), StringComparison.Ordinal);
        Assert.Contains(by, await client.PageAsync("/browse/activity"), StringComparison.Ordinal);
        var first = await client.PageAsync($"/browse/image/{_account}/web:v1");
        Assert.Equal(2, first.Split(by).Length - 1);
        // The image is still the first token's; the tag is another's.
        var second = await client.PageAsync($"/browse/image/{_account}/web:v2");
        Assert.Equal(1, second.Split(by).Length - 1);
        Assert.Contains("Tag set", second, StringComparison.Ordinal);
        Assert.Contains($"id=\"token-{token.Id}\"", await client.PageAsync("/browse/tokens"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_delete_by_the_page_says_who_did_it()
    {
        var (token, text) = await Host.Tokens.CreateAsync(_account, lifetime: null, Stop);
        using var client = await PageClient.SignedInAsync(Host, text);
        var registry = await RegistryClient.ForAsync(Host, _account);
        await registry.PushAsync($"{_account}/web", Layout.Small("gone" + _account, "v1"));
        var path = $"/browse/delete/{_account}/web:v1";

        Assert.Equal(HttpStatusCode.SeeOther, (await client.SubmitAsync(path, path)).Status);

        var line = (await client.PageAsync("/browse/activity")).Split("<tr").First(r => r.Contains("Tag removed"));
        Assert.Contains(token.Id, line, StringComparison.Ordinal);
    }

    private async Task<PageClient> SignedInAsync() =>
        await PageClient.SignedInAsync(Host, await Host.TokenForAsync(_account));

    // Pushes what cosign pushes.
    private async Task SignAsync(RegistryClient registry, Layout layout)
    {
        var empty = "{}"u8.ToArray();
        var config = await registry.PushBlobAsync($"{_account}/web", empty);
        var subject = layout.Manifests[0];
        subject.Remove("annotations");
        var signature = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = Layout.OciManifest,
            ["artifactType"] = "application/vnd.dev.cosign.artifact.sig.v1+json",
            ["config"] = Described("application/vnd.oci.empty.v1+json"),
            ["layers"] = new JsonArray(Described("application/vnd.dev.cosign.simplesigning.v1+json")),
            ["subject"] = subject,
        };
        var bytes = System.Text.Encoding.UTF8.GetBytes(signature.ToJsonString());
        var reply = await registry.PutManifestAsync($"{_account}/web", Layout.DigestOf(bytes), bytes);
        Assert.True(reply.Status == HttpStatusCode.Created, reply.Text);

        JsonObject Described(string mediaType) =>
            new()
            {
                ["mediaType"] = mediaType,
                ["digest"] = config,
                ["size"] = empty.Length,
            };
    }

    private static int Index(string page, string text)
    {
        Assert.Contains(text, page, StringComparison.Ordinal);
        return page.IndexOf(text, StringComparison.Ordinal);
    }
}
