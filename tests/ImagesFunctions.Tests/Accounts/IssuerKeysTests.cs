using System.Diagnostics;
using System.Text.Json.Nodes;
using ImagesFunctions.Accounts;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ImagesFunctions.Tests.Accounts;

/// <summary>How often an issuer is asked, and what it may answer.</summary>
public sealed class IssuerKeysTests
{
    // 256 bytes.
    private static readonly string s_modulus = new string('x', 341) + 'w';

    private readonly FakeTimeProvider _time = new();
    private readonly IssuerKeys _keys;

    public IssuerKeysTests() =>
        _keys = new IssuerKeys(new IssuerDocuments(loopback: true), _time, NullLogger<IssuerKeys>.Instance);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Keys_are_asked_for_once_and_again_for_an_unknown_one_at_most_every_five_minutes()
    {
        await using var issuer = await TestIssuer.StartAsync();
        var first = issuer.Signer.Id;
        for (var i = 0; i < 50; i++)
        {
            Assert.Single(await _keys.OfAsync(issuer.Issuer, first, Stop));
        }

        Assert.Equal(1, issuer.Asked);
        issuer.Rotate();
        Assert.Single(await _keys.OfAsync(issuer.Issuer, issuer.Signer.Id, Stop));
        Assert.Equal(2, issuer.Asked);
        // The old key is gone, and a flood of made-up ones asks no more.
        foreach (var unknown in Enumerable.Range(0, 50).Select(i => $"unknown{i}").Append(first))
        {
            Assert.Empty(await _keys.OfAsync(issuer.Issuer, unknown, Stop));
        }

        _time.Advance(IssuerKeys.MinInterval - TimeSpan.FromSeconds(1));
        Assert.Empty(await _keys.OfAsync(issuer.Issuer, "unknown", Stop));
        Assert.Equal(2, issuer.Asked);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.Empty(await _keys.OfAsync(issuer.Issuer, "unknown", Stop));
        Assert.Empty(await _keys.OfAsync(issuer.Issuer, "unknown", Stop));
        Assert.Equal(3, issuer.Asked);
    }

    [Fact]
    public async Task Many_at_once_ask_once()
    {
        await using var issuer = await TestIssuer.StartAsync();

        var found = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => _keys.OfAsync(issuer.Issuer, issuer.Signer.Id, Stop))
        );

        Assert.All(found, f => Assert.Single(f));
        Assert.Equal(1, issuer.Asked);
    }

    [Fact]
    public async Task An_issuer_that_hangs_is_waited_for_ten_seconds_and_then_not_asked_for_ten()
    {
        await using var issuer = await TestIssuer.StartAsync();
        issuer.Instead = context => Task.Delay(Timeout.Infinite, context.RequestAborted);

        var waits = _keys.OfAsync(issuer.Issuer, null, Stop);
        await Task.Delay(50, Stop);
        Assert.False(waits.IsCompleted);
        // The fetch begins a moment later, and with it the timer.
        await Until.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(5));
                return Task.FromResult(waits.IsCompleted);
            },
            () => Task.FromResult("It waits on.")
        );
        await Assert.ThrowsAsync<IssuerUnavailableException>(() => waits);
        issuer.Instead = null;
        await Until.TrueAsync(
            async () =>
            {
                _time.Advance(TimeSpan.FromSeconds(10));
                try
                {
                    return (await _keys.OfAsync(issuer.Issuer, null, Stop)).Count > 0;
                }
                catch (IssuerUnavailableException)
                {
                    return false;
                }
            },
            () => Task.FromResult("It is not asked again.")
        );
    }

    [Fact]
    public async Task While_it_fails_what_is_known_goes_on_and_no_caller_waits()
    {
        await using var issuer = await TestIssuer.StartAsync();
        Assert.Equal(2, (await _keys.OfAsync(issuer.Issuer, null, Stop)).Count);
        issuer.Instead = context => Task.Delay(Timeout.Infinite, context.RequestAborted);
        _time.Advance(TimeSpan.FromHours(30));

        var begun = Stopwatch.GetTimestamp();
        Assert.Equal(2, (await _keys.OfAsync(issuer.Issuer, null, Stop)).Count);
        Assert.InRange(Stopwatch.GetElapsedTime(begun).TotalSeconds, 0, 5);
    }

    /// <summary>What an issuer may answer for its configuration or its keys.</summary>
    private static readonly Dictionary<string, Func<TestIssuer, HttpContext, Task>> s_bad = new(StringComparer.Ordinal)
    {
        ["another issuer's document"] = (_, c) =>
            JsonAsync(c, new JsonObject { ["issuer"] = "https://other", ["jwks_uri"] = Keys(c) }),
        ["keys elsewhere without TLS"] = (i, c) =>
            JsonAsync(c, new JsonObject { ["issuer"] = i.Issuer, ["jwks_uri"] = "http://192.0.2.1/keys" }),
        ["keys in a file"] = (i, c) =>
            JsonAsync(c, new JsonObject { ["issuer"] = i.Issuer, ["jwks_uri"] = "file:///etc/passwd" }),
        ["a redirect"] = (i, c) =>
        {
            c.Response.Redirect($"{i.Issuer}/elsewhere");
            return Task.CompletedTask;
        },
        ["no JSON"] = (_, c) => c.Response.WriteAsync("<html>", c.RequestAborted),
        ["an empty answer"] = (_, _) => Task.CompletedTask,
        ["no keys"] = (i, c) =>
            c.Request.Path == "/keys"
                ? JsonAsync(c, new JsonObject { ["keys"] = new JsonArray() })
                : JsonAsync(c, new JsonObject { ["issuer"] = i.Issuer, ["jwks_uri"] = Keys(c) }),
        ["an endless document"] = async (_, c) =>
        {
            var page = new byte[64 * 1024];
            Array.Fill(page, (byte)' ');
            while (!c.RequestAborted.IsCancellationRequested)
            {
                await c.Response.Body.WriteAsync(page, c.RequestAborted);
            }
        },
    };

    public static TheoryData<string> BadNames => [.. s_bad.Keys];

    [Theory]
    [MemberData(nameof(BadNames))]
    public async Task What_it_may_not_answer_leaves_it_without_keys(string bad)
    {
        await using var issuer = await TestIssuer.StartAsync();
        issuer.Instead = context => s_bad[bad](issuer, context);

        await Assert.ThrowsAsync<IssuerUnavailableException>(() => _keys.OfAsync(issuer.Issuer, null, Stop));
    }

    [Fact]
    public async Task Secrets_short_keys_and_keys_to_encrypt_are_left_out()
    {
        await using var issuer = await TestIssuer.StartAsync();
        var good = await _keys.OfAsync(issuer.Issuer, null, Stop);
        Assert.Equal(["elliptic", issuer.Signer.Id], good.Select(k => k.Kid).Order(StringComparer.Ordinal));
        JsonObject[] keys =
        [
            Key("secret", "oct", ("k", "c2VjcmV0c2VjcmV0c2VjcmV0")),
            Key("short", "RSA", ("n", new string('x', 100)), ("e", "AQAB")),
            Key("slow", "RSA", ("n", s_modulus), ("e", s_modulus)),
            Key("other", "RSA", ("n", s_modulus), ("e", "AQAB"), ("use", "enc")),
            Key("curve", "EC", ("crv", "secp256k1"), ("x", "AA"), ("y", "AA")),
            Key("good", "RSA", ("n", s_modulus), ("e", "AQAB")),
        ];
        issuer.Instead = context =>
            context.Request.Path == "/keys"
                ? JsonAsync(context, new JsonObject { ["keys"] = new JsonArray([.. keys.Select(k => k.DeepClone())]) })
                : JsonAsync(context, new JsonObject { ["issuer"] = issuer.Issuer, ["jwks_uri"] = Keys(context) });

        Assert.Single(await _keys.OfAsync(issuer.Issuer, "good", Stop));
        Assert.Equal(["good"], (await _keys.OfAsync(issuer.Issuer, null, Stop)).Select(k => k.Kid));
    }

    [Fact]
    public async Task Without_an_emulator_not_even_this_machine_is_asked_without_TLS()
    {
        await using var issuer = await TestIssuer.StartAsync();
        var keys = new IssuerKeys(new IssuerDocuments(loopback: false), _time, NullLogger<IssuerKeys>.Instance);

        await Assert.ThrowsAsync<IssuerUnavailableException>(() => keys.OfAsync(issuer.Issuer, null, Stop));

        Assert.Equal(0, issuer.Asked);
    }

    private static JsonObject Key(string id, string type, params (string Name, string Value)[] more) =>
        new([
            new("kty", type),
            new("kid", id),
            .. more.Select(m => new KeyValuePair<string, JsonNode?>(m.Name, m.Value)),
        ]);

    private static string Keys(HttpContext context) => $"http://{context.Request.Host}/keys";

    private static Task JsonAsync(HttpContext context, JsonObject json) =>
        context.Response.WriteAsync(json.ToJsonString(), context.RequestAborted);
}
