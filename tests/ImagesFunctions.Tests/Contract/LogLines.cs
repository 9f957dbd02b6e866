using Microsoft.Extensions.Logging.Testing;

namespace ImagesFunctions.Tests.Contract;

/// <summary>What the log says of requests. One test a sentence.</summary>
public sealed class LogLines(KestrelFixture fixture) : AgainstAHost(fixture)
{
    [Fact]
    public async Task Every_answer_has_a_request_id_of_its_own_which_is_in_the_log_line_of_an_error_too()
    {
        var world = await World.OfAsync(Host);
        using var log = new FakeLoggerProvider();
        Host.Loggers.AddProvider(log);
        const string list = "/v1/images/list?namespace={alice}";
        var etag = (await Host.AskAsync(world.Named(list), world.AliceToken))["ETag"]!;
        (string Method, string Target, string? Token, string? Body, int Status)[] requests =
        [
            ("GET", "/v1/images/list", world.AliceToken, null, 200),
            ("GET", list, world.AliceToken, null, 304),
            ("HEAD", "/v1/images", world.AliceToken, null, 200),
            ("GET", "/v1/images/list?x", world.AliceToken, null, 400),
            ("GET", "/v1/images/list", null, null, 401),
            ("GET", "/", null, null, 401),
            ("GET", "/v1/nothing", world.AliceToken, null, 404),
            ("GET", "/v1/images/tag/{nobody}:x", world.AliceToken, null, 404),
            ("DELETE", "/v1/images/digest/{hello}@{five}", world.AliceToken, null, 403),
            ("POST", "/v1/images/list", world.AliceToken, "{}", 405),
            ("GET", "/v1/images/list", world.AliceToken, new string(' ', (1 << 20) + 1), 413),
            ("GET", "/v1/images/problems", world.AliceToken, null, 200),
        ];
        var ids = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (method, target, token, body, status) in requests)
        {
            (string, string)[] headers = status == 304 ? [("If-None-Match", etag)] : [];
            var reply = await Host.SendAsync(method, world.Named(target), token, body, headers);

            Assert.True(reply.Status == status, $"{method} {target}: {reply.Status} {reply.Text}");
            var id = reply["X-Request-Id"];
            Assert.Matches("^[0-9a-f]{32}$", id);
            Assert.True(ids.Add(id!), id);
            if (status < 400)
            {
                // A read that succeeds is no line at this level.
                continue;
            }

            await IsLoggedAsync(log, id!, status, $"{method} {target}");
        }

        Assert.DoesNotContain(Lines(log), l => l.Contains(world.AliceToken, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_line_break_in_a_path_makes_no_line_of_its_own_in_the_log()
    {
        var world = await World.OfAsync(Host);
        using var log = new FakeLoggerProvider();
        Host.Loggers.AddProvider(log);
        var mark = Drop.Fresh("mark");

        await Host.AskAsync($"/v1/{mark}%0Aforged%0D%0Aline", world.AliceToken);

        await Until.TrueAsync(
            () => Task.FromResult(Lines(log).Any(l => l.Contains(mark, StringComparison.Ordinal))),
            () => Task.FromResult("No line.")
        );
        Assert.All(
            Lines(log).Where(l => l.Contains(mark, StringComparison.Ordinal)),
            l => Assert.DoesNotContain('\n', l)
        );
    }

    // The line is written once the answer is on its way.
    private static Task IsLoggedAsync(FakeLoggerProvider log, string id, int status, string request) =>
        Until.TrueAsync(
            () =>
                Task.FromResult(
                    Lines(log)
                        .Any(l =>
                            l.Contains(id, StringComparison.Ordinal)
                            && l.Contains($" {status} ", StringComparison.Ordinal)
                        )
                ),
            () => Task.FromResult($"{request}: no line with {id} and {status}.")
        );

    // What the library logs, a line each.
    private static IEnumerable<string> Lines(FakeLoggerProvider log) =>
        log
            .Collector.GetSnapshot()
            .Where(r => r.Category!.StartsWith("ImagesFunctions", StringComparison.Ordinal))
            .Select(r => $"{r.Message} {r.Exception}");
}
