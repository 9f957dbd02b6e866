using System.Net;
using System.Text.Json.Nodes;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>The platform shape, and one image by its digest or tag. One test a sentence; what the lists take is in <see cref="InputSentences"/>.</summary>
public sealed class LaterGenerations(KestrelFixture fixture) : AgainstAHost(fixture)
{
    /// <summary>What a config may say of its date, and what is told of it.</summary>
    private static readonly Dictionary<string, string?> Dates = new(StringComparer.Ordinal)
    {
        ["2024-05-06T07:08:09Z"] = "2024-05-06T07:08:09+00:00",
        ["2024-05-06T07:08:09.123456789Z"] = "2024-05-06T07:08:09.1234568+00:00",
        ["2024-05-06T07:08:09.5+02:00"] = "2024-05-06T05:08:09.5+00:00",
        ["2024-05-06t07:08:09z"] = "2024-05-06T07:08:09+00:00",
        ["1970-01-01T00:00:00Z"] = "1970-01-01T00:00:00+00:00",
        ["0001-01-01T00:00:00Z"] = "0001-01-01T00:00:00+00:00",
        ["yesterday"] = null,
        [""] = null,
        ["2024"] = null,
        ["10:30"] = null,
        ["May 6"] = null,
        ["06/05/2024"] = null,
        ["2024-05-06"] = null,
        ["2024-05-06T07:08:09"] = null,
        ["2024-13-06T07:08:09Z"] = null,
        ["2024-02-30T07:08:09Z"] = null,
        ["2024-05-06T07:08:09+25:00"] = null,
        ["0001-01-01T00:00:00+14:00"] = null,
        ["Mon, 06 May 2024 07:08:09 GMT"] = null,
        [" 2024-05-06T07:08:09Z"] = null,
    };

    [Fact]
    public async Task An_image_with_everything_has_every_member_and_no_other()
    {
        var (account, token) = await AccountAsync();
        var layout = new Layout();
        var config = new JsonObject
        {
            ["created"] = "2024-05-06T07:08:09Z",
            ["config"] = new JsonObject
            {
                ["Entrypoint"] = new JsonArray("/bin/run"),
                ["Cmd"] = new JsonArray("a b", "<c>"),
                ["Env"] = new JsonArray("A=1", "B=x=y", "C", "D=", "A=2", "É=é"),
                ["Labels"] = new JsonObject { ["z"] = "1", ["a"] = "" },
            },
        };
        var rom = layout.Add("application/vnd.unikraft.rom.v1", "rom"u8.ToArray());
        var image = layout.AddManifest(layout.Add(Layout.OciConfig, config), rom);
        await Host.LayoutAsync(
            $"{account}/web",
            layout.Index(Layout.Tagged(image, "v1"), Layout.Tagged(image, "latest"))
        );
        await Host.ListedAsync(token, account, $"{account}/web@{Layout.Digest(image)}");

        var listed = await ListedAsync(token, account, tags: 2);

        var size = layout.Read(image)["config"]!["size"]!.GetValue<long>() + 3;
        Assert.Equal(
            ImagesList.Canonical(
                new JsonObject
                {
                    ["url"] = $"{Host.Http.BaseAddress!.Authority}/{account}/web@{Layout.Digest(image)}",
                    ["digest"] = Layout.Digest(image),
                    ["users"] = new JsonArray(account),
                    ["tags"] = new JsonArray("latest", "v1"),
                    ["created_at"] = "2024-05-06T07:08:09+00:00",
                    ["initrd_or_rom"] = true,
                    ["size_in_bytes"] = size,
                    ["args"] = new JsonArray("/bin/run", "a b", "<c>"),
                    // Where a name stands twice, a process sees the last.
                    ["env"] = new JsonObject
                    {
                        ["A"] = "2",
                        ["B"] = "x=y",
                        ["C"] = "",
                        ["D"] = "",
                        ["É"] = "é",
                    },
                    ["labels"] = new JsonObject { ["a"] = "", ["z"] = "1" },
                    ["components"] = new JsonObject
                    {
                        ["roms"] = new JsonArray(
                            new JsonObject
                            {
                                ["digest"] = Layout.Digest(rom),
                                ["media_type"] = "application/vnd.unikraft.rom.v1",
                                ["size_in_bytes"] = 3,
                            }
                        ),
                    },
                }
            ),
            ImagesList.Canonical(Assert.Single(listed))
        );
        // The first generation joins the arguments, and shows neither the environment nor the ROM.
        var v1 = Assert.Single((await Host.ListAsync(token, $"namespace={account}")).Images);
        Assert.Equal("/bin/run a b <c>", v1["args"]!.GetValue<string>());
        Assert.False(v1["initrd"]!.GetValue<bool>());
    }

    [Fact]
    public async Task An_image_with_nothing_leaves_its_empty_members_out()
    {
        var (account, token) = await AccountAsync();
        var layout = new Layout();
        var image = layout.AddManifest(
            layout.Add(Layout.OciConfig, "{}"u8.ToArray()),
            layout.Add(Layout.OciTar, ""u8.ToArray())
        );
        await Host.LayoutAsync($"{account}/web", layout.Index(image));
        await Host.ListedAsync(token, account, $"{account}/web@{Layout.Digest(image)}");

        var listed = Assert.Single(await ListedAsync(token, account, tags: 0));

        Assert.Equal("created_at digest initrd_or_rom size_in_bytes url users", MembersOf(listed));
        Assert.False(listed["initrd_or_rom"]!.GetValue<bool>());
        Assert.Equal(2, listed["size_in_bytes"]!.GetValue<long>());
    }

    [Fact]
    public async Task The_date_is_RFC_3339_and_when_the_image_came_where_the_configs_is_no_date()
    {
        var (account, token) = await AccountAsync();
        var layout = new Layout();
        var images = Dates
            .Keys.Select((date, i) => Layout.Tagged(WithDate(layout, date, i), $"t{i}"))
            .Append(Layout.Tagged(WithDate(layout, null, Dates.Count), $"t{Dates.Count}"))
            .ToArray();
        var before = DateTimeOffset.UtcNow.AddMilliseconds(-1);
        await Host.LayoutAsync($"{account}/web", layout.Index(images));

        var listed = await ListedAsync(token, account, tags: images.Length);

        // When it came is told of what has no date of its own.
        string? OwnDate(JsonObject image)
        {
            var told = image["created_at"]!.GetValue<string>();
            return DateTimeOffset.Parse(told) >= before ? null : told;
        }

        var told = listed.ToDictionary(i => i["tags"]![0]!.GetValue<string>(), OwnDate);
        Assert.Equal(Dates, Dates.Keys.Select((date, i) => (date, i)).ToDictionary(d => d.date, d => told[$"t{d.i}"]));
        Assert.Null(told[$"t{Dates.Count}"]);
    }

    [Fact]
    public async Task An_official_images_address_has_its_namespace()
    {
        var world = await World.OfAsync(Host);

        var reply = await Host.AskAsync(world.Named("/v1/images?namespace=official/{hello}"), world.AliceToken);

        var image = Assert.Single(reply.Images);
        Assert.Equal(
            world.Named($"{Host.Http.BaseAddress!.Authority}/official/{{hello}}@{{five}}"),
            image["url"]!.GetValue<string>()
        );
        Assert.Equal("latest", Assert.Single(image["tags"]!.AsArray())!.GetValue<string>());
    }

    [Theory]
    [InlineData("/v1/images/digest/{one}", "{alice}/web@{one}")]
    [InlineData("/v1/images/digest/{two}", "{alice}/web@{two}")]
    [InlineData("/v1/images/digest/{five}", "official/{hello}@{five}")]
    [InlineData("/v1/images/digest/{long}", "{alice}/long@{long}")]
    [InlineData("/v1/images/digest/{arm64}", "{alice}/multi@{arm64}")]
    [InlineData("/v1/images/digest/{alice}/web@{one}", "{alice}/web@{one}")]
    [InlineData("/v1/images/digest/{alice}/web/child@{three}", "{alice}/web/child@{three}")]
    [InlineData("/v1/images/digest/{alice}%2Fweb%2Fchild@{three}", "{alice}/web/child@{three}")]
    [InlineData("/v1/images/digest/{alice}%2fweb%40{one}", "{alice}/web@{one}")]
    [InlineData("/v1/images/digest/{alice}%252Fweb@{one}", "{alice}/web@{one}")]
    [InlineData("/v1/images/digest/{alice}%252fweb@{one}", "{alice}/web@{one}")]
    [InlineData("/v1/images/digest/{both}@{one}", "official/{both}@{one}")]
    [InlineData("/v1/images/digest/official/{both}@{one}", "official/{both}@{one}")]
    [InlineData("/v1/images/digest/official%2F{both}@{two}", "official/{both}@{two}")]
    [InlineData("/v1/images/digest/{one}?details=true&metro=fra0", "{alice}/web@{one}")]
    [InlineData("/v1/images/tag/{alice}/web:1", "{alice}/web@{one}")]
    [InlineData("/v1/images/tag/{alice}%2Fweb:latest", "{alice}/web@{one}")]
    [InlineData("/v1/images/tag/{alice}%2fweb%3Alatest", "{alice}/web@{one}")]
    [InlineData("/v1/images/tag/{alice}%252Fweb%2Fchild:latest", "{alice}/web/child@{three}")]
    [InlineData("/v1/images/tag/{alice}/multi:latest", "{alice}/multi@{multi}")]
    [InlineData("/v1/images/tag/{hello}:latest", "official/{hello}@{five}")]
    [InlineData("/v1/images/tag/official%2F{hello}:latest", "official/{hello}@{five}")]
    [InlineData("/v1/images/tag/{alice}/web:1?details&metro=", "{alice}/web@{one}")]
    public async Task One_image_by_its_digest_or_tag_is_an_array_of_one(string target, string expected)
    {
        var world = await World.OfAsync(Host);
        var reply = await Host.AskAsync(world.Named(target), world.AliceToken);

        AssertSuccess(reply.Answer);
        var image = Assert.Single(reply.Images);
        Assert.Equal(world.Named($"{Host.Http.BaseAddress!.Authority}/{expected}"), image["url"]!.GetValue<string>());
        var list = await Host.AskAsync("/v1/images", world.AliceToken);
        Assert.Contains(image.ToJsonString(), list.Images.Select(i => i.ToJsonString()));
        // A body says nothing here.
        Assert.Equal(
            reply.Answer.Timeless,
            (await Host.AskAsync(world.Named(target), world.AliceToken, "{\"tag\":7")).Answer.Timeless
        );
    }

    [Theory]
    [InlineData("/v1/images/digest/{none}", "{none}")]
    [InlineData("/v1/images/digest/{hidden}", "{hidden}")]
    [InlineData("/v1/images/digest/{amd64}", "{amd64}")]
    [InlineData("/v1/images/digest/{alice}/web@{none}", "{alice}/web@{none}")]
    [InlineData("/v1/images/digest/{alice}/web2@{one}", "{alice}/web2@{one}")]
    [InlineData("/v1/images/digest/{alice}%2Fmulti@{amd64}", "{alice}/multi@{amd64}")]
    [InlineData("/v1/images/digest/{bob}/hidden@{hidden}", "{bob}/hidden@{hidden}")]
    [InlineData("/v1/images/digest/{nobody}/web@{one}", "{nobody}/web@{one}")]
    [InlineData("/v1/images/digest/{hello}@{one}", "{hello}@{one}")]
    [InlineData("/v1/images/tag/{alice}/web:2", "{alice}/web:2")]
    [InlineData("/v1/images/tag/{alice}%2Fweb:LATEST", "{alice}/web:LATEST")]
    [InlineData("/v1/images/tag/{bob}/web:1", "{bob}/web:1")]
    [InlineData("/v1/images/tag/{nobody}/web:1", "{nobody}/web:1")]
    [InlineData("/v1/images/tag/{nobody}:latest", "{nobody}:latest")]
    public async Task What_is_not_there_or_another_accounts_is_404_with_error_8(string target, string name)
    {
        var world = await World.OfAsync(Host);
        foreach (var method in (string[])["GET", "DELETE"])
        {
            // An untagged child of an index is not listed, but there: it can be deleted, if nothing needs it.
            if (method == "DELETE" && target.Contains("@{amd64}", StringComparison.Ordinal))
            {
                continue;
            }

            var reply = await Host.SendAsync(method, world.Named(target), world.AliceToken);

            AssertError(HttpStatusCode.NotFound, reply.Answer, 8);
            Assert.Equal(world.Named($"No image with name '{name}'"), reply.Json["message"]!.GetValue<string>());
        }
    }

    [Theory]
    [InlineData("/v1/images/digest/")]
    [InlineData("/v1/images/digest")]
    [InlineData("/v1/images/digest/x")]
    [InlineData("/v1/images/digest/{alice}/web")]
    [InlineData("/v1/images/digest/{alice}/web:1")]
    [InlineData("/v1/images/digest/sha256:abc")]
    [InlineData("/v1/images/digest/{one}/")]
    [InlineData("/v1/images/digest/{one}x")]
    [InlineData("/v1/images/digest/{one},{two}")]
    [InlineData("/v1/images/digest//{alice}/web@{one}")]
    [InlineData("/v1/images/digest/%20{one}")]
    [InlineData("/v1/images/digest/{one}%0A")]
    [InlineData("/v1/images/digest/{alice}%5Cweb@{one}")]
    [InlineData("/v1/images/tag/")]
    [InlineData("/v1/images/tag")]
    [InlineData("/v1/images/tag/latest")]
    [InlineData("/v1/images/tag/{alice}/web")]
    [InlineData("/v1/images/tag/{alice}/web@{one}")]
    [InlineData("/v1/images/tag/{alice}/web:1/")]
    [InlineData("/v1/images/tag/{alice}/web:..")]
    [InlineData("/v1/images/tag/{alice}%2F..%2Fbob%2Fweb:1")]
    [InlineData("/v1/images/tag/ALICE/web:1")]
    public async Task A_malformed_name_in_the_path_is_400_with_error_7(string target)
    {
        var world = await World.OfAsync(Host);
        foreach (var method in (string[])["GET", "DELETE"])
        {
            var reply = await Host.SendAsync(method, world.Named(target), world.AliceToken);

            AssertError(HttpStatusCode.BadRequest, reply.Answer, 7);
        }
    }

    [Theory]
    [InlineData("namespace={alice}")]
    [InlineData("tagged")]
    [InlineData("limit=1")]
    [InlineData("x")]
    public async Task By_digest_and_by_tag_there_are_no_filters(string query)
    {
        var world = await World.OfAsync(Host);
        foreach (var target in (string[])["/v1/images/digest/{one}", "/v1/images/tag/{alice}/web:1"])
        {
            var reply = await Host.AskAsync(world.Named($"{target}?{query}"), world.AliceToken);

            AssertError(HttpStatusCode.BadRequest, reply.Answer);
            Assert.Contains(
                $"'{query.Split('=')[0]}'",
                reply.Json["message"]!.GetValue<string>(),
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public async Task A_bare_digest_in_several_places_shows_the_own_one_first_and_then_the_first_by_repository()
    {
        var (account, token) = await AccountAsync();
        var layout = Layout.Small(account, "latest");
        var digest = layout.FirstImage;
        var official = Drop.Fresh("aaa");
        async Task<string> ShownAsync()
        {
            var reply = await Host.AskAsync($"/v1/images/digest/{digest}", token);
            return reply.Status == 200
                ? Assert.Single(reply.Images)["url"]!.GetValue<string>().Split('/', 2)[1]
                : reply.Status.ToString();
        }

        Assert.Equal("404", await ShownAsync());
        foreach (var repository in (string[])[$"official/{official}", $"{account}/web", $"{account}/app"])
        {
            await Host.LayoutAsync(repository, layout);
            await Until.TrueAsync(
                async () => await ShownAsync() == $"{repository}@{digest}",
                async () => $"{repository}: {await ShownAsync()}"
            );
        }
    }

    private static JsonObject WithDate(Layout layout, JsonNode? date, int number)
    {
        var config = new JsonObject { ["author"] = number.ToString() };
        if (date is not null)
        {
            config["created"] = date;
        }

        return layout.AddManifest(layout.Add(Layout.OciConfig, config), layout.Add(Layout.OciTar, ""u8.ToArray()));
    }

    private async Task<(string Account, string Token)> AccountAsync()
    {
        var account = Drop.Fresh("alice");
        return (account, await Host.TokenForAsync(account));
    }

    // As /v1/images and /v1/image-store show it, which is the same.
    private async Task<IReadOnlyList<JsonObject>> ListedAsync(string token, string account, int tags)
    {
        var target = $"/v1/images?namespace={account}";
        Reply? last = null;
        await Until.TrueAsync(
            async () =>
                (last = await Host.AskAsync(target, token)).Images.Sum(i => i["tags"]?.AsArray().Count ?? 0) == tags,
            async () => $"{last!.Text} {await Host.ExplainAsync(account)}"
        );
        AssertSuccess(last!.Answer);
        var store = await Host.AskAsync($"/v1/image-store?namespace={account}", token);
        Assert.Equal(last.Answer.Timeless, store.Answer.Timeless);
        return last.Images;
    }
}
