using System.Text.Json.Nodes;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>The shape in which the platform's routes show an image. One test a sentence.</summary>
public sealed class PlatformShape(KestrelFixture fixture) : AgainstAHost(fixture)
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
        var (layout, image) = WithEverything();
        await Host.LayoutAsync(
            $"{account}/web",
            layout.Index(Layout.Tagged(image, "v1"), Layout.Tagged(image, "latest"))
        );
        await Host.ListedAsync(token, account, $"{account}/web@{Layout.Digest(image)}");

        var listed = await ListedAsync(token, account, tags: 2);

        var size = layout.Read(image)["config"]!["size"]!.GetValue<long>() + 3;
        Assert.Equal(
            ImagesList.Canonical(Everything(account, image, layout.Read(image), size)),
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
            var date = image["created_at"]!.GetValue<string>();
            return DateTimeOffset.Parse(date) >= before ? null : date;
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

    private JsonObject Everything(string account, JsonObject image, JsonNode manifest, long size) =>
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
                        ["digest"] = manifest["layers"]![0]!["digest"]!.GetValue<string>(),
                        ["media_type"] = "application/vnd.unikraft.rom.v1",
                        ["size_in_bytes"] = 3,
                    }
                ),
            },
        };

    private static (Layout Layout, JsonObject Image) WithEverything()
    {
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
        return (layout, layout.AddManifest(layout.Add(Layout.OciConfig, config), rom));
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
