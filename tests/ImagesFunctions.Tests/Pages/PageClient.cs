using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using ImagesFunctions.Tests.Contract;
using ImagesFunctions.Tests.Registry;
using Reply = ImagesFunctions.Tests.Registry.Reply;

namespace ImagesFunctions.Tests.Pages;

/// <summary>A browser as far as HTTP is concerned: it keeps a cookie, sends forms of pages, and follows nothing by itself.</summary>
internal sealed partial class PageClient : IDisposable
{
    /// <summary>What a browser says of a request from a page of the same site.</summary>
    public static readonly (string, string) SameSite = ("Sec-Fetch-Site", "same-origin");

    private readonly HttpClient _http;
    private readonly RegistryClient _client;

    public PageClient(RunningHost host)
    {
        _http = OpenApi.Client(host.Http.BaseAddress!, follows: false);
        _client = new RegistryClient(_http, authorization: null);
    }

    /// <summary>The cookie of the session, with its name; null: there is none.</summary>
    public string? Cookie { get; set; }

    /// <summary>One that is signed in.</summary>
    public static async Task<PageClient> SignedInAsync(RunningHost host, string token, string account = "")
    {
        var client = new PageClient(host);
        var reply = await client.SignInAsync(token, account);
        Assert.True(reply.Status == HttpStatusCode.SeeOther, reply.Text);
        return client;
    }

    public async Task<Reply> SignInAsync(string token, string account = "", string then = "")
    {
        var reply = await SendAsync(
            $"/browse/sign-in{(then.Length > 0 ? "?then=" + Uri.EscapeDataString(then) : "")}",
            [("token", token), ("account", account)],
            SameSite
        );
        if (reply["Set-Cookie"] is { } cookie)
        {
            Cookie = cookie.Split(';')[0];
        }

        return reply;
    }

    public Task<Reply> GetAsync(string path, params (string, string)[] headers) =>
        _client.SendAsync("GET", path, headers: [.. Cookies(), .. headers]);

    /// <summary>A page that has to be there.</summary>
    public async Task<string> PageAsync(string path)
    {
        var reply = await GetAsync(path);
        Assert.True(reply.Status == HttpStatusCode.OK, $"{path}: {reply.Whole}");
        return WebUtility.HtmlDecode(reply.Text);
    }

    /// <summary>Sends a form with the proof that its page has for it.</summary>
    /// <param name="page">The page.</param>
    /// <param name="action">Where the form goes.</param>
    /// <param name="fields">Its other fields.</param>
    public async Task<Reply> SubmitAsync(string page, string action, params (string, string)[] fields) =>
        await SendAsync(action, [("proof", ProofIn(await PageAsync(page), action)), .. fields], SameSite);

    /// <summary>Sends fields as a form does, with these headers.</summary>
    public Task<Reply> SendAsync(
        string path,
        (string Name, string Value)[] fields,
        params (string, string)[] headers
    ) =>
        _client.SendAsync(
            "POST",
            path,
            Encoding.UTF8.GetBytes(string.Join('&', fields.Select(f => $"{f.Name}={Uri.EscapeDataString(f.Value)}"))),
            headers: [("Content-Type", "application/x-www-form-urlencoded"), .. Cookies(), .. headers]
        );

    /// <summary>The proof of a page's form.</summary>
    public static string ProofIn(string page, string action)
    {
        var form = Forms().Matches(page).FirstOrDefault(f => f.Groups["action"].Value == action);
        Assert.True(form is not null, $"No form goes to {action}: {page}");
        return form.Groups["proof"].Value;
    }

    public void Dispose() => _http.Dispose();

    private (string, string)[] Cookies() => Cookie is null ? [] : [("Cookie", Cookie)];

    [GeneratedRegex(
        """<form[^>]* action="(?<action>[^"]*)"[^>]*>\s*<input type="hidden" name="proof" value="(?<proof>[0-9a-f]{64})" />""",
        RegexOptions.NonBacktracking
    )]
    private static partial Regex Forms();
}
