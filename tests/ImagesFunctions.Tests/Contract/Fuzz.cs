using System.Text;
using CsCheck;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>
/// Requests at random, from the pieces that good ones are made of: no answer of 500 and above, the envelope wherever it is
/// due, and nothing of another account's, nor a difference between what is another's and what does not exist.
/// </summary>
public sealed class Fuzz(KestrelFixture fixture) : AgainstAHost(fixture)
{
    // In all that the other account has, and in no request.
    private static readonly string Secret = "s3cr3t" + Drop.Fresh("");

    [Fact]
    public Task Five_hundred_requests_at_random() => RunAsync(500);

    [LongFact]
    public Task Ten_thousand_requests_at_random() => RunAsync(10_000);

    private async Task RunAsync(int requests)
    {
        // An account of its own: what a request deletes is nobody else's.
        var world = await World.OfAsync(Host);
        var account = Drop.Fresh("alice");
        var token = await Host.TokenForAsync(account);
        var (other, otherToken, nobody) = await OtherAsync();
        await Host.LayoutAsync($"{account}/web", Layout.Small(account, "1", "latest"));
        await Host.ListedAsync(token, account, $"{account}/web@{Layout.Small(account, "1").FirstImage}");
        var before = (await Host.ListAsync(otherToken, $"namespace={other}")).Timeless;
        var official = (await Host.ListAsync(otherToken, world.Named("namespace=official/{hello}"))).Timeless;
        var names = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["{alice}"] = account,
            ["{one}"] = Layout.Small(account, "1").FirstImage,
            ["{hidden}"] = Layout.Small(Secret).FirstImage,
            ["{token}"] = token,
        };
        string Named(string text, string x) =>
            world.Named(
                names.Aggregate(text, (t, n) => t.Replace(n.Key, n.Value, StringComparison.Ordinal)).Replace("{x}", x)
            );

        await RandomRequests.All.SampleAsync(
            async request =>
            {
                var reply = await SendAsync(request, t => Named(t, other), token);
                Check(request, reply, other);
                if (request.IsAboutAnother)
                {
                    await IsAsNobodysAsync(request, reply, Named, (other, nobody), token);
                }
            },
            iter: requests,
            threads: 8,
            print: r => r.ToString()
        );

        Assert.Equal(before, (await Host.ListAsync(otherToken, $"namespace={other}")).Timeless);
        Assert.Equal(official, (await Host.ListAsync(otherToken, world.Named("namespace=official/{hello}"))).Timeless);
    }

    // The answer about another account is the one about an account that does not exist.
    private async Task IsAsNobodysAsync(
        RandomRequest request,
        Reply reply,
        Func<string, string, string> named,
        (string Other, string Nobody) x,
        string token
    )
    {
        var nobodys = await SendAsync(request, t => named(t, x.Nobody), token);
        for (var tries = 0; Told(nobodys, x.Nobody) != Told(reply, x.Other) && tries < 3; tries++)
        {
            // What is the caller's own is there once, and may go between the two.
            if (request.Method == "DELETE" && (reply.Status == 200 || nobodys.Status == 200))
            {
                return;
            }

            reply = await SendAsync(request, t => named(t, x.Other), token);
            nobodys = await SendAsync(request, t => named(t, x.Nobody), token);
        }

        Assert.Equal(Told(nobodys, x.Nobody), Told(reply, x.Other));
    }

    private async Task<(string Account, string Token, string Nobody)> OtherAsync()
    {
        var other = Drop.Fresh("bobby");
        var token = await Host.TokenForAsync(other);
        var layout = new Layout();
        var image = layout.AddImage(Secret);
        await Host.LayoutAsync($"{other}/web", layout.Index(Layout.Tagged(image, "1"), Layout.Tagged(image, Secret)));
        await Host.LayoutAsync($"{other}/hidden", Layout.Small(Secret, "latest"));
        await Host.LayoutAsync($"{other}/{Secret}", Layout.Small(Secret, "latest"));
        // A refused blob: of the account's problems.
        await Host.FileAsync($"{other}/{Secret}.txt", [1]);
        await Host.RefusedAsync($"{other}/{Secret}.txt");
        await Until.TrueAsync(
            async () =>
                (await Host.ListAsync(token, $"namespace={other}")).Images.Sum(i => i["tags"]!.AsArray().Count) == 4,
            () => Host.ExplainAsync(other)
        );
        // One letter away: as a place in the order of names it is the same.
        return (other, token, other[..^1] + (other[^1] == 'a' ? 'b' : (char)(other[^1] ^ 1)));
    }

    private Task<Reply> SendAsync(RandomRequest request, Func<string, string> named, string token)
    {
        var headers = request.Headers.Select(h => h.Split(": ", 2)).Select(h => (h[0], named(h[1]))).ToList();
        if (request.IsChunked)
        {
            headers.Add(("Transfer-Encoding", "chunked"));
        }

        return Host.SendAsync(
            request.Method,
            named(request.Target),
            token,
            request.Body is null ? null : named(request.Body),
            [.. headers]
        );
    }

    private static void Check(RandomRequest request, Reply reply, string other)
    {
        Assert.True(reply.Status < 500, $"{reply.Status} {reply.Text}");
        var whole = string.Join('\n', reply.Headers) + Encoding.UTF8.GetString(reply.Body);
        Assert.DoesNotContain(Secret, reply.Status == 304 || reply.Body.Length == 0 ? whole : reply.Text + whole);
        if (reply["X-Request-Id"] is null)
        {
            // The health route, and what the server or the host answered itself: never with more than a status.
            Assert.True(
                request.Target.StartsWith("/healthz", StringComparison.Ordinal)
                    || (request.MayBeRefusedByTheServer && reply.Status is >= 400 and < 500 && reply.Body.Length == 0),
                $"{reply.Status} without a request id: {reply.Text}"
            );
            return;
        }

        if (request.Method == "HEAD" || reply.Status == 304)
        {
            Assert.Empty(reply.Body);
            return;
        }

        if (reply.Status != 200)
        {
            Assert.InRange(reply.Status, 400, 499);
            AssertError(
                (System.Net.HttpStatusCode)reply.Status,
                reply.Answer,
                reply.Json["errors"]![0]!["error"]?.GetValue<int>()
            );
            return;
        }

        var member = reply.Json["data"]!.AsObject().Single().Key;
        var status = reply.Json["status"]!.GetValue<string>();
        if (status != "success")
        {
            AssertFailures(status, reply.Answer);
        }
        else
        {
            AssertSuccess(reply.Answer, member);
        }

        // An item that failed says what was asked for; whatever else is shown is the caller's own, or official.
        Assert.All(
            reply.Json["data"]![member]!.AsArray().Where(i => i!["error"] is null),
            i => Assert.DoesNotContain(other, i!.ToJsonString(), StringComparison.Ordinal)
        );
    }

    // An answer without what differs from one time to the next, and with the same name in it.
    private static string Told(Reply reply, string name)
    {
        var body =
            reply.Body.Length == 0 ? ""
            : reply["X-Request-Id"] is null ? reply.Text
            : reply.Answer.Timeless;
        var headers = reply
            .Headers.Where(h => h.Key is not ("X-Request-Id" or "Date" or "ETag" or "Content-Length"))
            .Select(h => $"{h.Key}: {h.Value}");
        return $"{reply.Status}\n{string.Join('\n', headers)}\n{body}".Replace(name, "{x}", StringComparison.Ordinal);
    }
}
