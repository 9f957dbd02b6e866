using System.Net;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ImagesFunctions.Tests.Contract;

/// <summary>What both hosts answer to those who have no token.</summary>
public sealed partial class OpenRoutesContract(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("/healthz", "ok\n")]
    [InlineData("/readyz", "ready\n")]
    public async Task Health_is_a_word_of_plain_text(string path, string word)
    {
        using var answer = await Host.Http.GetAsync(path, Stop);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/plain", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal(word, await answer.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task The_document_is_json_that_may_be_kept_and_asked_for_again()
    {
        using var answer = await Host.Http.GetAsync("/openapi.json", Stop);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("application/json", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal(TimeSpan.FromMinutes(5), answer.Headers.CacheControl?.MaxAge);
        Assert.Equal(
            "3.1.1",
            JsonNode.Parse(await answer.Content.ReadAsStringAsync(Stop))!["openapi"]!.GetValue<string>()
        );

        using var again = new HttpRequestMessage(HttpMethod.Get, "/openapi.json");
        again.Headers.IfNoneMatch.Add(new EntityTagHeaderValue("\"other\""));
        again.Headers.IfNoneMatch.Add(answer.Headers.ETag!);
        using var unchanged = await Host.Http.SendAsync(again, Stop);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        Assert.Equal(answer.Headers.ETag, unchanged.Headers.ETag);
    }

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    [InlineData("/openapi.json")]
    [InlineData("/docs")]
    public async Task Each_answers_head_without_a_body(string path)
    {
        using var head = new HttpRequestMessage(HttpMethod.Head, path);
        using var answer = await Host.Http.SendAsync(head, Stop);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(Stop));
    }

    [Theory]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    [InlineData("/openapi.json")]
    public async Task Another_method_is_405_that_names_those_there_are(string path)
    {
        using var posted = await Host.Http.PostAsync(path, content: null, Stop);
        Assert.Equal(HttpStatusCode.MethodNotAllowed, posted.StatusCode);
        Assert.Equal("application/json", posted.Content.Headers.ContentType?.MediaType);
        Assert.Equal(["GET", "HEAD"], posted.Content.Headers.Allow);
    }

    /// <summary>
    /// Its script knows addresses of other hosts, for features that are off. So the page's policy is looked at: a browser
    /// loads nothing that it does not allow, and it allows this host alone.
    /// </summary>
    [Fact]
    public async Task The_page_loads_nothing_from_any_other_host()
    {
        using var answer = await Host.Http.GetAsync("/docs", Stop);
        var page = await answer.Content.ReadAsStringAsync(Stop);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/html", answer.Content.Headers.ContentType?.MediaType);
        Assert.DoesNotMatch(@"(?i)\bhttps?:|[""'(]//", page);
        var policy = Assert.Single(answer.Headers.GetValues("Content-Security-Policy"));
        var nonce = Nonce().Match(policy).Value;
        Assert.NotEmpty(nonce);
        Assert.StartsWith("default-src 'none'; ", policy, StringComparison.Ordinal);
        Assert.All(
            policy.Split("; "),
            directive =>
                Assert.All(
                    directive.Split(' ').Skip(1),
                    source => Assert.Contains(source, (string[])["'none'", "'self'", "'unsafe-inline'", "data:", nonce])
                )
        );
        Assert.Contains($"; script-src 'self' {nonce}; ", policy, StringComparison.Ordinal);

        // Each script of the page carries the policy's nonce, lies beside the page and is a script.
        var scripts = ScriptTag().Matches(page);
        Assert.Equal(3, scripts.Count);
        Assert.All(scripts, script => Assert.Contains(nonce.Trim('\'')["nonce-".Length..], script.Value));
        foreach (var name in scripts.Select(script => script.Groups["source"].Value).Where(name => name.Length > 0))
        {
            using var script = await Host.Http.GetAsync(new Uri(answer.RequestMessage!.RequestUri!, name), Stop);
            Assert.Equal(HttpStatusCode.OK, script.StatusCode);
            Assert.Equal("text/javascript", script.Content.Headers.ContentType?.MediaType);
        }
    }

    [Fact]
    public async Task The_page_reads_the_document_of_this_host_and_has_no_fonts_telemetry_proxy_or_agent()
    {
        using var answer = await Host.Http.GetAsync("/docs", Stop);
        var page = await answer.Content.ReadAsStringAsync(Stop);
        var settings = JsonNode.Parse(Settings().Match(page).Value)!;

        Assert.Equal("openapi.json", Assert.Single(settings["sources"]!.AsArray())!["url"]!.GetValue<string>());
        Assert.False(settings["withDefaultFonts"]!.GetValue<bool>());
        Assert.False(settings["telemetry"]!.GetValue<bool>());
        Assert.True(settings["agent"]!["disabled"]!.GetValue<bool>());
        Assert.True(settings["mcp"]!["disabled"]!.GetValue<bool>());
        Assert.Null(settings["proxyUrl"]);
    }

    [GeneratedRegex("'nonce-[0-9a-f]{32}'", RegexOptions.NonBacktracking)]
    private static partial Regex Nonce();

    [GeneratedRegex("""<script(?:\s+(?:src="(?<source>[^"]*)"|[a-z]+="[^"]*"))*\s*>""", RegexOptions.NonBacktracking)]
    private static partial Regex ScriptTag();

    [GeneratedRegex("""\{"withDefaultFonts".*\}""", RegexOptions.NonBacktracking)]
    private static partial Regex Settings();
}
