using System.Net;
using System.Text.Json.Nodes;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>What `GET /v1/images/list` promises.</summary>
public sealed class ImagesListContract(KestrelFixture fixture) : AgainstAHost(fixture)
{
    [Theory]
    [InlineData("namespace={0}", null)]
    [InlineData("namespace={0}", "")]
    [InlineData("namespace={0}", "{}")]
    [InlineData("namespace={0}/web", null)]
    [InlineData("namespace=nobody", null)]
    [InlineData("namespace=nobody/web", null)]
    [InlineData("namespace=official/nothing", null)]
    [InlineData("tagged&namespace={0}", null)]
    [InlineData("", "{\"tag\":\"{0}/web:latest\"}")]
    [InlineData("", "{\"tag\":\"nothing:latest\"}")]
    [InlineData("", "{\"digest\":\"{0}/web@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}")]
    public async Task No_match_is_success_with_an_empty_array(string query, string? body)
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);

        var answer = await Host.ListAsync(token, Named(query, account)!, Named(body, account));

        AssertSuccess(answer);
        Assert.Empty(answer.Images);
    }

    [Fact]
    public async Task The_list_has_the_fields_of_the_contract_and_no_others()
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var layout = new Layout();
        var image = layout.AddImage("text");
        await Host.LayoutAsync(
            $"{account}/web",
            layout.Index(Layout.Tagged(image, "b"), Layout.Tagged(image, "B"), Layout.Tagged(image, "a"))
        );

        await Host.ListsExactlyAsync(token, account, layout.Listed($"{account}/web", image, "text", "B", "a", "b"));

        AssertSuccess(await Host.ListAsync(token, $"namespace={account}"));
    }

    [Fact]
    public async Task An_image_without_cmd_and_labels_has_an_empty_string_and_an_empty_object()
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var layout = new Layout();
        var config = layout.Add(Layout.OciConfig, """{"architecture":"amd64","os":"linux"}"""u8.ToArray());
        var image = layout.AddManifest(config, layout.Add(Layout.OciTar, ""u8.ToArray()));

        await Host.LayoutAsync($"{account}/web", layout.Index(image));

        await Host.ListsExactlyAsync(
            token,
            account,
            new JsonObject
            {
                ["digest"] = $"{account}/web@{Layout.Digest(image)}",
                ["tags"] = new JsonArray(),
                ["initrd"] = false,
                ["size_in_bytes"] = config["size"]!.GetValue<long>(),
                ["args"] = "",
                ["kernel_args"] = "",
                ["labels"] = new JsonObject(),
            }
        );
    }

    /// <summary>The apps that a careless prefix or path match would mix up, listed in the order of their repositories.</summary>
    [Fact]
    public async Task A_namespace_with_an_app_is_exactly_that_app()
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        string[] apps = ["web", "web-2", "web.2", "web/child", "web/child/more", "web2", "web_2"];
        var expected = new List<JsonObject>();
        foreach (var app in apps)
        {
            var layout = new Layout();
            var image = layout.AddImage(app);
            await Host.LayoutAsync($"{account}/{app}", layout.Index(Layout.Tagged(image, "latest")));
            expected.Add(layout.Listed($"{account}/{app}", image, app, "latest"));
        }

        await Host.ListsExactlyAsync(token, account, [.. expected]);
        foreach (var (app, image) in apps.Zip(expected))
        {
            await Host.ListsExactlyAsync(token, $"{account}/{app}", image);
        }

        foreach (var none in new[] { "we", "web/", "web/chil", "child", "Web", "web3" })
        {
            // Malformed or only not there: never the images of another app.
            var answer = await Host.ListAsync(token, $"namespace={account}/{none}");
            Assert.True(
                answer.Status == HttpStatusCode.BadRequest || answer.Images.Count == 0,
                $"{none}: {answer.Body}"
            );
        }
    }

    [Theory]
    [InlineData("tagged", true)]
    [InlineData("tagged=", true)]
    [InlineData("tagged=true", true)]
    [InlineData("tagged=1", true)]
    [InlineData("tagged=false", false)]
    [InlineData("tagged=0", false)]
    public async Task Tagged_leaves_out_images_without_a_tag(string flag, bool on)
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var layout = new Layout();
        var (with, without) = (layout.AddImage("with"), layout.AddImage("without"));
        await Host.LayoutAsync($"{account}/web", layout.Index(Layout.Tagged(with, "latest"), without));
        JsonObject[] both =
        [
            .. new[]
            {
                layout.Listed($"{account}/web", with, "with", "latest"),
                layout.Listed($"{account}/web", without, "without"),
            }.OrderBy(image => image["digest"]!.GetValue<string>(), StringComparer.Ordinal),
        ];
        await Host.ListsExactlyAsync(token, account, both);

        var answer = await Host.ListAsync(token, $"namespace={account}&{flag}");

        AssertSuccess(answer);
        Assert.Equal(
            ImagesList.Canonical(
                new JsonArray([
                    .. both.Where(one => !on || one["tags"]!.AsArray().Count > 0).Select(one => one.DeepClone()),
                ])
            ),
            ImagesList.Canonical(answer.Json["data"]!["images"]!)
        );
    }

    [Fact]
    public async Task A_digest_or_a_tag_in_the_body_selects_one_image_and_all_criteria_must_hold()
    {
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var layout = new Layout();
        var (one, two) = (layout.AddImage("one"), layout.AddImage("two"));
        layout.Index(Layout.Tagged(one, "1"), Layout.Tagged(two, "2"));
        await Host.LayoutAsync($"{account}/web", layout);
        await Host.LayoutAsync($"{account}/web/child", layout);
        await Until.TrueAsync(
            async () => (await Host.ListAsync(token, $"namespace={account}&tagged")).Images.Count == 4,
            () => Host.ExplainAsync(account)
        );
        var (first, second) = ($"{account}/web@{Layout.Digest(one)}", $"{account}/web@{Layout.Digest(two)}");
        (string Query, JsonObject Body, string? Expected)[] questions =
        [
            ("", new JsonObject { ["digest"] = first }, first),
            ("", new JsonObject { ["tag"] = $"{account}/web:2" }, second),
            ("", new JsonObject { ["tag"] = $"{account}/web:3" }, null),
            ("", new JsonObject { ["digest"] = first, ["tag"] = $"{account}/web:1" }, first),
            ("", new JsonObject { ["digest"] = first, ["tag"] = $"{account}/web:2" }, null),
            ($"namespace={account}", new JsonObject { ["digest"] = first }, first),
            ($"namespace={account}/web", new JsonObject { ["digest"] = first }, first),
            ($"namespace={account}/web/child", new JsonObject { ["digest"] = first }, null),
            ("namespace=official", new JsonObject { ["digest"] = first }, null),
            ("tagged", new JsonObject { ["digest"] = first }, first),
        ];
        foreach (var (query, body, expected) in questions)
        {
            var answer = await Host.ListAsync(token, query, body.ToJsonString());
            AssertSuccess(answer);
            Assert.Equal(expected, answer.Digests.SingleOrDefault());
        }
    }

    [Fact]
    public async Task An_official_image_is_visible_to_all_under_its_bare_name()
    {
        var app = Drop.Fresh("nginx");
        var layout = new Layout();
        var image = layout.AddImage(app);
        await Host.LayoutAsync($"official/{app}", layout.Index(Layout.Tagged(image, "latest")));
        var listed = layout.Listed(app, image, app, "latest");
        var reference = $"{app}@{Layout.Digest(image)}";
        foreach (var account in new[] { Drop.Fresh("alice"), Drop.Fresh("bobby") })
        {
            var token = await Host.TokenForAsync(account);
            await Host.ListsExactlyAsync(token, $"official/{app}", listed);
            (string Query, string? Body)[] questions =
            [
                ("", null),
                ("namespace=official", null),
                ("", $$"""{"digest":"{{reference}}"}"""),
                ("", $$"""{"digest":"official/{{reference}}"}"""),
                ("", $$"""{"tag":"{{app}}:latest"}"""),
                ("", $$"""{"tag":"official/{{app}}:latest"}"""),
                ("namespace=official", $$"""{"tag":"{{app}}:latest"}"""),
            ];
            foreach (var (query, body) in questions)
            {
                var answer = await Host.ListAsync(token, query, body);
                AssertSuccess(answer);
                Assert.Contains(reference, answer.Digests, StringComparer.Ordinal);
                Assert.True(body is null || answer.Images.Count == 1, answer.Body);
            }

            // It is not one of the account's own.
            Assert.Empty((await Host.ListAsync(token, $"namespace={account}")).Images);
        }
    }

    [Fact]
    public async Task An_account_without_images_lists_the_official_ones_alone()
    {
        var token = await Host.TokenForAsync(Drop.Fresh("alice"));

        var answer = await Host.ListAsync(token);

        AssertSuccess(answer);
        Assert.All(answer.Digests, digest => Assert.DoesNotContain("/", digest, StringComparison.Ordinal));
    }

    // Not string.Format: the braces of JSON stand beside the place for the name.
    private static string? Named(string? text, string account) =>
        text?.Replace("{0}", account, StringComparison.Ordinal);
}
