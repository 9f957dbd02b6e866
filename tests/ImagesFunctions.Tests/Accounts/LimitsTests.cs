using System.Net;
using System.Text.RegularExpressions;
using ImagesFunctions.Accounts;
using ImagesFunctions.Tests.Operation;
using ImagesFunctions.Tests.Registry;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Tests.Accounts;

/// <summary>SECURITY.md: floods and guesses.</summary>
public sealed class LimitsTests
{
    private const string Address = "X-Test-Address";

    [Fact]
    public async Task An_account_over_its_limit_is_told_to_wait_in_both_forms_and_others_are_served()
    {
        await using var host = await OwnHost.StartAsync(null, (Limits.RequestsSetting, "5"));
        var alice = await RegistryClient.ForAsync(host.Running, "alice");
        var bob = await RegistryClient.ForAsync(host.Running, "bob");
        for (var i = 0; i < 5; i++)
        {
            Assert.Equal(HttpStatusCode.OK, (await alice.GetAsync("/v2/")).Status);
        }

        var registry = await alice.GetAsync("/v2/");
        Assert.Equal(HttpStatusCode.TooManyRequests, registry.Status);
        Assert.Equal("TOOMANYREQUESTS", registry.Code);
        Assert.InRange(int.Parse(registry["Retry-After"]!), 1, 12);

        using var request = new HttpRequestMessage(HttpMethod.Get, "/v1/images/list");
        request.Headers.Authorization = new("Bearer", await host.Running.TokenForAsync("alice"));
        using var images = await host.Running.Http.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Null(await Contract.OpenApi.Served.ViolationAsync(request, images));
        Assert.Equal(HttpStatusCode.TooManyRequests, images.StatusCode);

        Assert.Equal(HttpStatusCode.OK, (await bob.GetAsync("/v2/")).Status);
    }

    [Fact]
    public async Task An_address_where_logins_fail_has_to_wait_and_no_other()
    {
        using var heard = new Heard();
        await using var host = await LimitedAsync();
        var token = await host.Running.TokenForAsync("alice");
        var known = new RegistryClient(host.Running.Http, RegistryClient.Basic("alice", token));
        var fresh = new RegistryClient(host.Running.Http, $"Bearer {await host.Running.TokenForAsync("alice")}");
        Assert.Equal(HttpStatusCode.OK, (await known.GetAsync("/v2/", (Address, "192.0.2.9"))).Status);
        for (var i = 0; i < 5; i++)
        {
            // A name of its own each time, so that only the address can tell.
            var reply = await Wrong(host, $"somebody{i}").GetAsync("/v2/", (Address, "192.0.2.1:4711"));
            Assert.Equal(HttpStatusCode.Unauthorized, reply.Status);
        }

        using var test = heard.Begin();
        var refused = await Wrong(host, "one").GetAsync("/v2/", (Address, "192.0.2.1:4712"));
        Assert.Equal((HttpStatusCode.TooManyRequests, "TOOMANYREQUESTS"), (refused.Status, refused.Code));
        Assert.InRange(int.Parse(refused["Retry-After"]!), 1, 12);
        Assert.DoesNotContain(heard.Of(test.TraceId), m => m.Contains("shared_reads", StringComparison.Ordinal));
        // What is in front of the last address is what the client says.
        Assert.Equal(
            HttpStatusCode.TooManyRequests,
            (await Wrong(host, "two").GetAsync("/v1/images/list", (Address, "192.0.2.77, 192.0.2.1"))).Status
        );
        Assert.Equal(HttpStatusCode.TooManyRequests, (await fresh.GetAsync("/v2/", (Address, "192.0.2.1"))).Status);

        Assert.Equal(HttpStatusCode.OK, (await known.GetAsync("/v2/", (Address, "192.0.2.1"))).Status);
        Assert.Equal(HttpStatusCode.OK, (await fresh.GetAsync("/v2/", (Address, "192.0.2.2"))).Status);
        // Who shows no credentials has not failed: every registry client begins like that.
        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await new RegistryClient(host.Running.Http, null).GetAsync("/v2/", (Address, "192.0.2.1"))).Status
        );
    }

    [Fact]
    public async Task Wrong_passwords_for_an_account_from_everywhere_do_not_lock_it_out()
    {
        await using var host = await LimitedAsync();
        var alice = await RegistryClient.ForAsync(host.Running, "alice");
        Reply? last = null;
        for (var i = 0; i < 6; i++)
        {
            last = await Wrong(host, "alice").GetAsync("/v2/", (Address, $"198.51.100.{i}"));
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, last!.Status);
        Assert.Equal(HttpStatusCode.OK, (await alice.GetAsync("/v2/", (Address, "203.0.113.1"))).Status);
    }

    [Theory]
    [InlineData("/v2/")]
    [InlineData("/v1/images/list")]
    public async Task Logins_that_fail_are_alike_whatever_is_wrong_below_the_limit_and_above(string path)
    {
        using var heard = new Heard();
        await using var host = await LimitedAsync();
        Assert.True(Credentials.TryParse(await host.Running.TokenForAsync("alice"), out var alice));
        string[] wrong =
        [
            Credentials.New("nobody").Text,
            Credentials.New("alice").Text,
            (alice with { Secret = new string('0', 64) }).Text,
            await ExpiredAsync(host),
        ];
        var below = new List<string>();
        foreach (var (i, token) in wrong.Index())
        {
            using var test = heard.Begin();
            below.Add(await AnswerAsync(token, $"192.0.2.{i}"));
            // One read of one row, whatever there is.
            Assert.Equal(
                ["images.storage.shared_reads of=token result=read"],
                heard.Of(test.TraceId).Where(m => m.Contains("shared_reads", StringComparison.Ordinal))
            );
        }

        for (var i = 0; i < 5; i++)
        {
            await Wrong(host, $"some{i}").GetAsync(path, (Address, "203.0.113.1"));
        }

        var above = new List<string>();
        foreach (var token in wrong)
        {
            above.Add(await AnswerAsync(token, "203.0.113.1"));
        }

        Assert.StartsWith("401", Assert.Single(below.Distinct()), StringComparison.Ordinal);
        Assert.StartsWith("429", Assert.Single(above.Distinct()), StringComparison.Ordinal);

        async Task<string> AnswerAsync(string token, string address)
        {
            var client = new RegistryClient(host.Running.Http, $"Bearer {token}");
            var reply = await client.GetAsync(path, (Address, address));
            // How long it took, and when to come back, is different each time.
            return Regex.Replace(reply.Whole, @"op_time_us"":\d+|Retry-After=\d+|Content-Length=\d+", "");
        }
    }

    [Theory]
    [InlineData(null, "10.0.0.1")]
    [InlineData("", "10.0.0.1")]
    [InlineData("what", "10.0.0.1")]
    [InlineData("192.0.2.1", "192.0.2.1")]
    [InlineData("192.0.2.1:80", "192.0.2.1")]
    [InlineData("1.2.3.4, 192.0.2.1:80", "192.0.2.1")]
    [InlineData("::ffff:192.0.2.1", "192.0.2.1")]
    [InlineData("2001:db8:1:2:3:4:5:6", "20010db800010002")]
    [InlineData("[2001:db8:1:2::9]:443", "20010db800010002")]
    public void The_address_is_the_last_that_the_header_names(string? header, string expected)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse("10.0.0.1");
        context.Request.Headers[Address] = header;

        Assert.Equal(
            expected,
            new Logins(null!, null!, OwnHost.Settings((Logins.AddressSetting, Address)), null!).AddressOf(context)
        );
        Assert.Equal("10.0.0.1", new Logins(null!, null!, OwnHost.Settings(), null!).AddressOf(context));
    }

    /// <summary>That it was good once is no pass for ever: the address waits then, and nothing is read for it.</summary>
    [Fact]
    public async Task A_token_that_was_good_once_waits_like_any_other_when_it_is_revoked()
    {
        using var heard = new Heard();
        await using var host = await LimitedAsync();
        var (token, text) = await host.Running.Tokens.CreateAsync("alice", null, TestContext.Current.CancellationToken);
        var client = new RegistryClient(host.Running.Http, $"Bearer {text}");
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v2/", (Address, "192.0.2.9"))).Status);
        await host.Running.Tokens.RevokeAsync("alice", token.Id, TestContext.Current.CancellationToken);
        Reply? last = null;
        for (var i = 0; i < 6; i++)
        {
            last = await client.GetAsync("/v2/", (Address, "192.0.2.9"));
        }

        Assert.Equal(HttpStatusCode.TooManyRequests, last!.Status);
        using var test = heard.Begin();
        Assert.Equal(HttpStatusCode.TooManyRequests, (await client.GetAsync("/v2/", (Address, "192.0.2.9"))).Status);
        Assert.DoesNotContain(heard.Of(test.TraceId), m => m.Contains("shared_reads", StringComparison.Ordinal));
    }

    [Fact]
    public void Zero_switches_a_limit_off()
    {
        using var limits = new Limits(OwnHost.Settings((Limits.RequestsSetting, "0"), (Limits.FailuresSetting, "0")));
        for (var i = 0; i < 100_000; i++)
        {
            limits.Request("alice");
            limits.Login("192.0.2.1");
            limits.Failed("192.0.2.1", "alice");
        }
    }

    [Fact]
    public void However_many_addresses_and_names_there_are_the_memory_is_bounded()
    {
        // Other tests take and give memory back meanwhile: what all of these names really took would show each time.
        const long most = 64 * 1024 * 1024;
        var least = long.MaxValue;
        for (var attempt = 0; attempt < 10 && least > most; attempt++)
        {
            least = Math.Min(least, Taken());
        }

        Assert.InRange(least, long.MinValue, most);

        static long Taken()
        {
            using var limits = new Limits(OwnHost.Settings());
            var before = GC.GetTotalMemory(forceFullCollection: true);
            for (var i = 0; i < 300_000; i++)
            {
                try
                {
                    limits.Failed($"address{i}", $"name{i}");
                }
                catch (TooManyRequestsException)
                {
                    // Not what is asked here.
                }
            }

            return GC.GetTotalMemory(forceFullCollection: true) - before;
        }
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("many")]
    [InlineData("1000000001")]
    [InlineData("99999999999999999999")]
    public void A_setting_that_is_no_number_is_named(string value)
    {
        var error = Assert.Throws<InvalidSettingException>(() =>
            new Limits(OwnHost.Settings((Limits.FailuresSetting, value)))
        );
        Assert.StartsWith($"FailedLoginsPerMinute is '{value}'", error.Message);
    }

    private static Task<OwnHost> LimitedAsync() =>
        OwnHost.StartAsync(null, (Limits.FailuresSetting, "5"), (Logins.AddressSetting, Address));

    private static RegistryClient Wrong(OwnHost host, string account) =>
        new(host.Running.Http, $"Bearer {Credentials.New(account).Text}");

    private static async Task<string> ExpiredAsync(OwnHost host)
    {
        var (token, text) = await host.Running.Tokens.CreateAsync(
            "alice",
            TimeSpan.FromMilliseconds(1),
            TestContext.Current.CancellationToken
        );
        await Until.TrueAsync(
            () => Task.FromResult(DateTimeOffset.UtcNow > token.Expires),
            () => Task.FromResult("The token has not expired.")
        );
        return text;
    }
}
