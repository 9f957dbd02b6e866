using System.Text.Json.Nodes;
using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.RealImages;

namespace ImagesFunctions.Tests.Contract;

/// <summary>The vendor's own client, npm <c>@unikraft/cloud</c>: every image, metro and authorization call that it has.</summary>
public sealed class VendorClient(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private static readonly string s_folder = Path.Combine(Places.Root, "tests", "clients");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Gets_what_it_understands_from_every_call_and_throws_where_it_should()
    {
        var account = Drop.Fresh("npm");
        var token = await Host.TokenForAsync(account);
        var layout = Layout.Small(account, "v1");
        await Host.LayoutAsync($"{account}/web", layout);
        await Host.ListedAsync(token, account, $"{account}/web@{layout.FirstImage}");

        var told = await RunAsync(token, $"{account}/web", layout.FirstImage);

        JsonNode Returned(string name) =>
            told[name]["returned"] ?? throw new InvalidOperationException($"{name}: {told[name].ToJsonString()}");
        var authority = Host.Http.BaseAddress!.Authority;
        var url = $"{authority}/{account}/web@{layout.FirstImage}";
        foreach (var call in (string[])["getImages by tag", "getImages by digest"])
        {
            Assert.Equal(url, Assert.Single(Images(Returned(call)))!["url"]!.GetValue<string>());
        }

        foreach (var call in (string[])["getImages", "getImageStore"])
        {
            Assert.Contains(url, Images(Returned(call)).Select(i => i!["url"]!.GetValue<string>()));
        }

        Assert.True(Images(Returned("pinImages")["shown"]!)[0]!["persistent"]!.GetValue<bool>());
        Assert.Equal("success", Returned("pinImages")["unpinned"]!["status"]!.GetValue<string>());
        Assert.Equal("partial_success", Returned("pinImages elsewhere")["status"]!.GetValue<string>());
        var name = $"{authority}/{account}/web";
        Assert.Contains(name, Images(Returned("listImages")).Select(i => i!["name"]!.GetValue<string>()));
        var detailed = Images(Returned("listImages with details")).First(i => i!["name"]!.GetValue<string>() == name)!;
        Assert.Equal(layout.FirstImage, detailed["tags"]![0]!["digest"]!.GetValue<string>());
        Assert.Equal(account, Returned("getAuthorization")["data"]!["organization_name"]!.GetValue<string>());
        var endpoint = Returned("listMetros")["data"]!["metros"]![0]!["endpoint"]!.GetValue<string>();
        Assert.Equal(endpoint, Assert.Single(Returned("availableMetros").AsArray())!["baseUrl"]!.GetValue<string>());
        Assert.Equal(400, told["getImages of a malformed tag"]["status"]!.GetValue<int>());
        Assert.Equal(404, told["requestSignin"]["status"]!.GetValue<int>());
        Assert.Equal(404, told["checkAuthorization"]["status"]!.GetValue<int>());
        Assert.Equal(401, told["without a token"]["status"]!.GetValue<int>());
    }

    private static JsonArray Images(JsonNode envelope)
    {
        Assert.Equal("success", envelope["status"]!.GetValue<string>());
        return envelope["data"]!["images"]!.AsArray();
    }

    private async Task<Dictionary<string, JsonNode>> RunAsync(string token, string repository, string digest)
    {
        if (!Directory.Exists(Path.Combine(s_folder, "node_modules", "@unikraft")))
        {
            throw Tool.Missing("@unikraft/cloud", "npm ci --prefix tests/clients --ignore-scripts");
        }

        var ran = await Cli.Wrap("node")
            .WithWorkingDirectory(s_folder)
            .WithArguments([
                "vendor.mjs",
                Host.Http.BaseAddress!.GetLeftPart(UriPartial.Authority),
                token,
                repository,
                digest,
            ])
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(Stop);
        Assert.True(ran.ExitCode == 0, ran.StandardError);
        return ran
            .StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonNode.Parse(line)!)
            .ToDictionary(line => line["name"]!.GetValue<string>(), StringComparer.Ordinal);
    }
}
