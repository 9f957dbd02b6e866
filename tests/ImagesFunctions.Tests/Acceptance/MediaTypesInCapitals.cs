using System.Net;
using System.Text.Json.Nodes;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Acceptance;

/// <summary>An image whose every media type is written in capitals is listed like any other, dropped or pushed.</summary>
public sealed class MediaTypesInCapitals(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private readonly string _repository = $"{Drop.Fresh("alice")}/web";

    private string Account => _repository.Split('/')[0];

    [Fact]
    public async Task A_dropped_layout_is_listed_with_its_facts()
    {
        var token = await Host.TokenForAsync(Account);
        var layout = new Layout();
        var image = AddImage(layout, "dropped");
        var index = AddIndex(layout, image);
        layout.Index(Layout.Tagged(image, "image"), Layout.Tagged(index, "index"));

        await Host.LayoutAsync(_repository, layout);

        await Until.TrueAsync(
            async () => (await Host.ListAsync(token, $"namespace={_repository}")).Images.Count == 2,
            async () => await Host.ExplainAsync(Account)
        );
        await IsListedAsync(token, layout, image, "dropped");
        Assert.Empty((await Host.StatusAsync(Account)).Refused);
    }

    [Fact]
    public async Task A_push_is_listed_with_its_facts_and_served_with_the_type_that_was_sent()
    {
        var client = await RegistryClient.ForAsync(Host, Account);
        var token = await Host.TokenForAsync(Account);
        var layout = new Layout();
        var image = AddImage(layout, "pushed");
        var manifest = layout.Files[Layout.PathOf(Layout.Digest(image))];
        foreach (var blob in layout.Files.Where(f => f.Key.StartsWith("blobs/", StringComparison.Ordinal)))
        {
            await client.PushBlobAsync(_repository, blob.Value);
        }

        // The header, too, differs in case from what the body says.
        const string sent = "Application/Vnd.OCI.Image.Manifest.v1+JSON";
        var put = await client.PutManifestAsync(_repository, "image", manifest, sent);

        Assert.Equal(HttpStatusCode.Created, put.Status);
        Assert.Equal(sent, (await client.GetAsync($"/v2/{_repository}/manifests/image"))["Content-Type"]);
        await IsListedAsync(token, layout, image, "pushed");
    }

    [Fact]
    public async Task Referrers_are_filtered_by_their_type_in_any_case_and_show_it_as_it_was_sent()
    {
        var client = await RegistryClient.ForAsync(Host, Account);
        var layout = new Layout();
        var image = AddImage(layout, "subject");
        var config = layout.Add("application/vnd.oci.empty.v1+json", "{}"u8.ToArray());
        await client.PushBlobAsync(_repository, "{}"u8.ToArray());
        var signature = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["artifactType"] = "Application/Vnd.Example.Signature",
            ["config"] = config,
            ["layers"] = new JsonArray(),
            ["subject"] = image.DeepClone(),
        };
        var put = await client.PutManifestAsync(
            _repository,
            "signature",
            System.Text.Encoding.UTF8.GetBytes(signature.ToJsonString())
        );
        Assert.Equal(HttpStatusCode.Created, put.Status);

        var found = await client.GetAsync(
            $"/v2/{_repository}/referrers/{Layout.Digest(image)}?artifactType=application/vnd.example.signature"
        );

        var one = Assert.Single(found.Json["manifests"]!.AsArray())!;
        Assert.Equal("Application/Vnd.Example.Signature", one["artifactType"]!.GetValue<string>());
    }

    private async Task IsListedAsync(string token, Layout layout, JsonObject image, string text)
    {
        var expected = layout.Listed(_repository, image, text, "image");
        expected["initrd"] = true;
        var listed = await Host.ListAsync(token, $"digest={_repository}@{Layout.Digest(image)}");
        Assert.Equal(ImagesList.Canonical(expected), ImagesList.Canonical(Assert.Single(listed.Images)));
    }

    private static JsonObject AddImage(Layout layout, string text)
    {
        var config = new JsonObject
        {
            ["config"] = new JsonObject
            {
                ["Cmd"] = new JsonArray("/bin/run", text),
                ["Labels"] = new JsonObject { ["text"] = text },
            },
        };
        var type = Layout.OciManifest.ToUpperInvariant();
        return layout.Add(
            type,
            new JsonObject
            {
                ["schemaVersion"] = 2,
                ["mediaType"] = type,
                ["config"] = layout.Add(Layout.OciConfig.ToUpperInvariant(), config),
                ["layers"] = new JsonArray(
                    layout.Add("APPLICATION/VND.UNIKRAFT.INITRD.V1", Layout.Tar("etc/text", text))
                ),
            }
        );
    }

    private static JsonObject AddIndex(Layout layout, JsonObject image) =>
        layout.AddIndex(Layout.OciIndex.ToUpperInvariant(), Layout.For(image, "linux", "amd64"));
}
