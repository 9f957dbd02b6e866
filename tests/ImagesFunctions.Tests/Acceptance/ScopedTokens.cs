using System.Net;
using Azure.Data.Tables;
using ImagesFunctions.Accounts;
using ImagesFunctions.Tests.Contract;
using ImagesFunctions.Tests.Registry;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Acceptance;

/// <summary>
/// A token of some repositories: what it may not pull is answered exactly like what does not exist, by both APIs. The account has
/// <c>web</c>, <c>web/child</c> and <c>secret</c>, the latter with an image that is also in <c>web</c> and one that is not.
/// </summary>
public sealed class ScopedTokens(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private const string Missing = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b800";

    private readonly string _account = Drop.Fresh("alice");

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Lists_pages_counts_and_ETags_are_those_of_an_account_that_has_nothing_else()
    {
        var (shared, _) = await PushAsync();
        var token = await TokenAsync("pull", "web/**");
        var all = await Host.TokenForAsync(_account);

        var list = await Host.AskAsync($"/v1/images/list?namespace={_account}", token);
        Assert.Equal([Child(), $"{_account}/web@{shared}"], list.Digests.Order(StringComparer.Ordinal));
        Assert.Equal("2", list["X-Total-Count"]);
        Assert.Equal("4", (await Host.AskAsync($"/v1/images/list?namespace={_account}", all))["X-Total-Count"]);
        var page = await Host.AskAsync($"/v1/images/list?namespace={_account}&limit=1", token);
        Assert.Equal((1, "2"), (page.Images.Count, page["X-Total-Count"]));
        var next = await Host.AskAsync(page["Link"]!.Split('<', '>')[1], token);
        Assert.Equal((1, null), (next.Images.Count, next["Link"]));
        Assert.DoesNotContain("secret", (await Host.AskAsync("/v1/images", token)).Text, StringComparison.Ordinal);

        // What changes out of its sight changes nothing that it can see.
        await (await RegistryClient.ForAsync(Host, _account)).PushAsync(
            $"{_account}/secret",
            Layout.Small("more", "v9")
        );
        var again = await Host.AskAsync($"/v1/images/list?namespace={_account}", token);
        Assert.Equal(list["ETag"], again["ETag"]);
        Assert.NotEqual(list["ETag"], (await Host.AskAsync($"/v1/images/list?namespace={_account}", all))["ETag"]);

        string Child() => list.Digests.Single(d => d.StartsWith($"{_account}/web/child@", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Every_question_about_what_it_may_not_pull_is_answered_as_if_that_were_not_there()
    {
        var (_, hidden) = await PushAsync();
        var token = await TokenAsync("pull,push,delete,admin", "web/**");
        (string Method, string Target, string? Body)[] questions =
        [
            ("GET", "/v1/images/list?namespace={account}/{app}", null),
            ("GET", "/v1/images/list", """{"digest":"{account}/{app}@{digest}"}"""),
            ("GET", "/v1/images/list", """[{"digest":"{account}/{app}@{digest}"},{"tag":"{account}/{app}:latest"}]"""),
            ("GET", "/v1/images?tag={account}/{app}:latest", null),
            ("GET", "/v1/images?details=true&namespace={account}/{app}", null),
            ("GET", "/v1/images/digest/{digest}", null),
            ("GET", "/v1/images/digest/{account}%2F{app}@{digest}", null),
            ("GET", "/v1/images/tag/{account}%2F{app}:latest", null),
            ("GET", "/v1/images/problems?namespace={account}/{app}", null),
            ("DELETE", "/v1/images/digest/{digest}", null),
            ("DELETE", "/v1/images/digest/{account}%2F{app}@{digest}", null),
            ("DELETE", "/v1/images/tag/{account}%2F{app}:latest", null),
            ("POST", "/v1/images", """[{"url":"{account}/{app}:latest","timeout_s":-1}]"""),
            ("GET", "/boot/{account}/{app}/latest", null),
            ("GET", "/boot/{account}/{app}/@{digest}", null),
        ];
        foreach (var (method, target, body) in questions)
        {
            var theirs = await Host.SendAsync(
                method,
                With(target, "secret", hidden)!,
                token,
                With(body, "secret", hidden)
            );
            var none = await Host.SendAsync(
                method,
                With(target, "nobody", Missing)!,
                token,
                With(body, "nobody", Missing)
            );

            Assert.Equal(Plain(none, "nobody", Missing), Plain(theirs, "secret", hidden));
        }

        var everything = await Host.TokenForAsync(_account);
        Assert.Equal("4", (await Host.AskAsync($"/v1/images/list?namespace={_account}", everything))["X-Total-Count"]);
    }

    [Fact]
    public async Task The_registry_answers_in_every_byte_as_if_it_were_not_there()
    {
        var (shared, hidden) = await PushAsync();
        var client = await ClientAsync("pull,push,delete", "web/**");
        var session = (await (await RegistryClient.ForAsync(Host, _account)).BeginAsync($"{_account}/secret")).Split(
            '/'
        )[^1];
        string[] paths =
        [
            "/manifests/latest",
            $"/manifests/{hidden}",
            $"/blobs/{hidden}",
            "/tags/list",
            $"/referrers/{hidden}",
            $"/blobs/uploads/{session}",
            "/blobs/uploads/",
        ];
        foreach (var path in paths)
        {
            foreach (var method in new[] { "GET", "HEAD", "PUT", "DELETE", "PATCH", "POST" })
            {
                var body = method[0] == 'P' ? new byte[100] : null;
                var theirs = await client.SendAsync(method, $"/v2/{_account}/secret{path}", body);
                var none = await client.SendAsync(method, $"/v2/{_account}/nobody{path}", body);
                Assert.Equal(none.Whole.Replace("nobody", "secret", StringComparison.Ordinal), theirs.Whole);
            }
        }

        var catalog = (await client.GetAsync("/v2/_catalog?n=1000")).Text;
        Assert.Contains($"\"{_account}/web/child\"", catalog, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", catalog, StringComparison.Ordinal);
        // A mount of what it may not pull begins an upload, whether it says from where or not.
        foreach (var from in new[] { $"&from={_account}/secret", "" })
        {
            var mount = await client.SendAsync("POST", $"/v2/{_account}/web/blobs/uploads/?mount={hidden}{from}");
            Assert.Equal(HttpStatusCode.Accepted, mount.Status);
        }

        var visible = await client.SendAsync("POST", $"/v2/{_account}/web/child/blobs/uploads/?mount={shared}");
        Assert.Equal(HttpStatusCode.Created, visible.Status);
    }

    [Fact]
    public async Task A_right_that_it_has_not_on_what_it_sees_is_denied_in_the_APIs_form()
    {
        var (shared, _) = await PushAsync();
        var puller = await ClientAsync("pull,push", "web");
        var deleter = await ClientAsync("delete", "web");

        Assert.Equal(HttpStatusCode.OK, (await puller.GetAsync($"/v2/{_account}/web/manifests/{shared}")).Status);
        await DeniedAsync(puller, "DELETE", $"/v2/{_account}/web/manifests/{shared}");
        await DeniedAsync(deleter, "POST", $"/v2/{_account}/web/blobs/uploads/");
        // Outside of its repositories it is denied whether there is something or not.
        await DeniedAsync(puller, "POST", $"/v2/{_account}/secret/blobs/uploads/");
        await DeniedAsync(puller, "POST", $"/v2/{_account}/nobody/blobs/uploads/");
        var token = await TokenAsync("pull,push", "web");
        AssertError(
            HttpStatusCode.Forbidden,
            (await Host.SendAsync("DELETE", $"/v1/images/tag/{_account}%2Fweb:latest", token)).Answer,
            ErrorNumbers.NotAllowed
        );
        Assert.Equal(
            HttpStatusCode.Accepted,
            (await deleter.SendAsync("DELETE", $"/v2/{_account}/web/manifests/{shared}")).Status
        );

        static async Task DeniedAsync(RegistryClient client, string method, string path)
        {
            var reply = await client.SendAsync(method, path);
            Assert.Equal((HttpStatusCode.Forbidden, "DENIED"), (reply.Status, reply.Code));
        }
    }

    [Fact]
    public async Task Pins_take_push_and_to_unpin_takes_admin()
    {
        await PushAsync();
        var pin = $$"""[{"url":"{{_account}}/web:latest","timeout_s":-1}]""";
        AssertFailures(
            "error",
            (await Host.SendAsync("POST", "/v1/images", await TokenAsync("delete", "web"), pin)).Answer
        );
        var pinned = await Host.SendAsync("POST", "/v1/images", await TokenAsync("push", "web"), pin);
        AssertSuccess(pinned.Answer);
        var unpin = $$"""[{"uuid":"{{pinned.Images[0]["uuid"]}}"}]""";

        var denied = await Host.SendAsync("DELETE", "/v1/images", await TokenAsync("push", "web"), unpin);
        Assert.Equal(14, denied.Images[0]["error"]!.GetValue<int>());
        var unseen = await Host.SendAsync("DELETE", "/v1/images", await TokenAsync("push,admin", "secret"), unpin);
        Assert.Equal(8, unseen.Images[0]["error"]!.GetValue<int>());
        AssertSuccess(
            (await Host.SendAsync("DELETE", "/v1/images", await TokenAsync("pull,admin", "web"), unpin)).Answer
        );
    }

    [Fact]
    public async Task Problems_are_those_of_its_repositories()
    {
        foreach (var app in new[] { "web", "secret" })
        {
            await Host.FileAsync($"{_account}/{app}/blobs/sha256/{new string('a', 64)}", "other"u8.ToArray());
        }

        await Host.RefusedAsync($"{_account}/secret/blobs/sha256/{new string('a', 64)}");
        await Host.RefusedAsync($"{_account}/web/blobs/sha256/{new string('a', 64)}");

        var problems = await Host.AskAsync("/v1/images/problems", await TokenAsync("pull", "web"));

        Assert.Contains($"{_account}/web/blobs", problems.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", problems.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_earlier_version_finds_no_hash_where_it_looks_for_one_and_the_row_of_an_earlier_one_opens()
    {
        var (scoped, text) = await Host.Tokens.CreateAsync(_account, null, Grant.Parse("pull", ["web"]), Stop);
        var (all, _) = await Host.Tokens.CreateAsync(_account, null, Stop);
        var (reader, _) = await Host.Tokens.CreateAsync(_account, null, Stop, readOnly: true);

        Assert.False((await RowAsync(scoped.Id)).ContainsKey("hash"));
        Assert.True((await RowAsync(all.Id)).ContainsKey("hash"));
        Assert.True((await RowAsync(reader.Id)).GetBoolean("read_only"));
        AssertSuccess(await Host.ListAsync(text));

        // A right of a later version grants nothing.
        var row = await RowAsync(scoped.Id);
        row["allow"] = "pull,fly";
        await Host.Storage.Accounts.UpdateEntityAsync(row, Azure.ETag.All, TableUpdateMode.Replace, Stop);
        AssertError(HttpStatusCode.Unauthorized, await Host.ListAsync(text));

        async Task<TableEntity> RowAsync(string id) =>
            await Host.Storage.Accounts.GetEntityAsync<TableEntity>(_account, id, cancellationToken: Stop);
    }

    private async Task<(string Shared, string Hidden)> PushAsync()
    {
        var client = await RegistryClient.ForAsync(Host, _account);
        var (shared, hidden) = (
            Layout.Small($"shared {_account}", "latest"),
            Layout.Small($"hidden {_account}", "latest")
        );
        await client.PushAsync($"{_account}/web", shared);
        await client.PushAsync($"{_account}/web/child", Layout.Small($"child {_account}", "latest"));
        await client.PushAsync($"{_account}/secret", shared);
        await client.PushAsync($"{_account}/secret", hidden);
        return (shared.FirstImage, hidden.FirstImage);
    }

    private async Task<string> TokenAsync(string allow, params string[] repositories) =>
        (await Host.Tokens.CreateAsync(_account, null, Grant.Parse(allow, repositories), Stop)).Text;

    private async Task<RegistryClient> ClientAsync(string allow, params string[] repositories) =>
        new(Host.Http, RegistryClient.Basic(_account, await TokenAsync(allow, repositories)));

    private string? With(string? text, string app, string digest) =>
        text
            ?.Replace("{account}", _account, StringComparison.Ordinal)
            .Replace("{app}", app, StringComparison.Ordinal)
            .Replace("{digest}", digest, StringComparison.Ordinal);

    // All that can be compared: not the time, nor the id of the request.
    private static string Plain(Contract.Reply reply, string app, string digest)
    {
        var json = reply.Json;
        Assert.True(json.Remove("op_time_us"), reply.Text);
        var headers = reply.Headers.Where(h => h.Key is not ("Date" or "X-Request-Id" or "ETag" or "Content-Length"));
        return $"{reply.Status} {string.Join(", ", headers)} {json.ToJsonString()}"
            .Replace(app, "{app}", StringComparison.Ordinal)
            .Replace(digest, "{digest}", StringComparison.Ordinal);
    }

    private static class ErrorNumbers
    {
        public const int NotAllowed = 14;
    }
}
