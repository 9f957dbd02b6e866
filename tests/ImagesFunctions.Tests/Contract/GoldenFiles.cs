using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagesFunctions.Local;

namespace ImagesFunctions.Tests.Contract;

/// <summary>
/// One file for each documented answer, in the folder `golden` beside this file: the request, the status, the headers that
/// say something, and the body, with the random and the timely of it made the same each time. After a change that is meant,
/// a run with the environment variable RENEW_GOLDEN=1 writes them anew; what changed is then read in the diff.
/// </summary>
public sealed class GoldenFiles(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private static readonly bool Renew = Environment.GetEnvironmentVariable("RENEW_GOLDEN") == "1";
    private static readonly string[] Left = ["Date", "Server", "Connection", "Content-Length", "Transfer-Encoding"];
    private static readonly JsonSerializerOptions Readable = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private sealed record Question(
        string Name,
        string Method,
        string Target,
        string? Body = null,
        string? Token = "{token}"
    );

    private static readonly Question[] Questions =
    [
        new("list", "GET", "/v1/images/list?namespace={alice}"),
        new("list-tagged", "GET", "/v1/images/list?namespace={alice}&tagged"),
        new("list-official", "GET", "/v1/images/list?namespace=official/{hello}"),
        new("list-by-tag", "GET", "/v1/images/list", """{"tag":"{alice}/web:latest"}"""),
        new("list-by-digest", "GET", "/v1/images/list", """{"digest":"{alice}/web@{web}"}"""),
        new("list-empty", "GET", "/v1/images/list?namespace={bob}"),
        new("list-page", "GET", "/v1/images/list?namespace={alice}&limit=2"),
        new("list-last-page", "GET", "/v1/images/list?namespace={alice}&limit=2&after={alice}/multi@{multi}"),
        new("batch", "GET", "/v1/images/list", """[{"tag":"{alice}/web:v1"},{"digest":"{hello}@{sample}"}]"""),
        new(
            "batch-partial",
            "GET",
            "/v1/images/list",
            """[{"tag":"{alice}/web:v1"},{"tag":"{alice}/web:v2"},{"digest":"{bob}/web@{web}"},{"tag":"web"}]"""
        ),
        new("batch-error", "GET", "/v1/images/list", """[{"tag":"{alice}/web:v2"}]"""),
        new("images", "GET", "/v1/images?namespace={alice}"),
        new("images-official", "GET", "/v1/image-store?namespace=official/{hello}"),
        new("image-by-digest", "GET", "/v1/images/digest/{web}"),
        new("image-by-tag", "GET", "/v1/images/tag/{hello}:latest"),
        new("image-not-found", "GET", "/v1/images/tag/{alice}%2Fweb:v2"),
        new("image-malformed", "GET", "/v1/images/digest/sha256:abc"),
        new("problems", "GET", "/v1/images/problems"),
        new("error-no-token", "GET", "/v1/images/list", Token: null),
        new("error-root", "GET", "/"),
        new("error-no-route", "GET", "/v1/instances"),
        new("error-method", "POST", "/v1/images/list", "{}"),
        new("error-unknown-parameter", "GET", "/v1/images/list?namespaces={alice}"),
        new("error-repeated-parameter", "GET", "/v1/images/list?tagged&tagged=1"),
        new("error-empty-namespace", "GET", "/v1/images/list?namespace="),
        new("error-unknown-member", "GET", "/v1/images/list", """{"name":"{alice}/web"}"""),
        new("error-no-json", "GET", "/v1/images/list", "tag=web"),
        new("error-empty-item", "GET", "/v1/images/list", "[{}]"),
        new("error-batch-too-long", "GET", "/v1/images/list", $"[{string.Join(',', Enumerable.Repeat("0", 1001))}]"),
        new("error-body-too-long", "GET", "/v1/images/list", new string(' ', (1 << 20) + 1)),
        // What changes something comes last.
        new("delete-official", "DELETE", "/v1/images/tag/{hello}:latest"),
        new("delete-needed", "DELETE", "/v1/images/digest/{alice}%2Fmulti@{amd64}"),
        new("delete-several", "DELETE", "/v1/images/digest/{web}"),
        new("delete-not-found", "DELETE", "/v1/images/digest/{bob}%2Fweb@{web}"),
        new("delete-tag", "DELETE", "/v1/images/tag/{alice}%2Fweb:v1"),
        new("delete-digest", "DELETE", "/v1/images/digest/{alice}%2Fweb@{web}"),
    ];

    [Fact]
    public async Task Every_documented_answer_is_as_its_golden_file_says()
    {
        var names = await DropAsync();
        string Named(string text) =>
            names.Aggregate(text, (t, n) => t.Replace(n.Key, n.Value, StringComparison.Ordinal));
        var wrong = new List<string>();
        foreach (var question in Questions)
        {
            var reply = await Host.SendAsync(
                question.Method,
                Named(question.Target),
                question.Token is null ? null : Named(question.Token),
                question.Body is null ? null : Named(question.Body)
            );
            var file = Path.Combine(Folder(), question.Name + ".json");
            var written = Golden(question, reply, names);
            if (Renew)
            {
                await File.WriteAllTextAsync(file, written, TestContext.Current.CancellationToken);
            }
            else if (
                !File.Exists(file)
                || await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken) != written
            )
            {
                wrong.Add($"{question.Name}.json would be\n{written}");
            }
        }

        Assert.True(wrong.Count == 0, "If this is meant: RENEW_GOLDEN=1.\n" + string.Join('\n', wrong));
    }

    [Fact]
    public void No_golden_file_is_of_nothing() =>
        Assert.Equal(
            Questions.Select(q => q.Name).Order(StringComparer.Ordinal),
            Directory
                .EnumerateFiles(Folder())
                .Select(f => Path.GetFileNameWithoutExtension(f))
                .Order(StringComparer.Ordinal)
        );

    private static string Folder() => Path.Combine(Places.Root, "tests", "ImagesFunctions.Tests", "Contract", "golden");

    private string Golden(Question question, Reply reply, Dictionary<string, string> names)
    {
        var headers = new JsonObject();
        foreach (var (name, value) in reply.Headers.Where(h => !Left.Contains(h.Key)).OrderBy(h => h.Key))
        {
            headers[name] = name switch
            {
                "X-Request-Id" => new string('0', 32),
                "ETag" => $"W/\"{new string('0', 32)}\"",
                _ => value,
            };
        }

        var body = reply.Json;
        body["op_time_us"] = 412;
        foreach (var problem in body["data"]?["problems"]?.AsArray() ?? [])
        {
            if (problem!["at"] is not null)
            {
                problem["at"] = "2026-01-02T03:04:05+00:00";
            }
        }

        var request = new JsonObject { ["method"] = question.Method, ["target"] = question.Target };
        if (question.Body is { Length: < 1000 })
        {
            request["body"] = question.Body;
        }

        var text = new JsonObject
        {
            ["request"] = request,
            ["status"] = reply.Status,
            ["headers"] = headers,
            ["body"] = body,
        }.ToJsonString(Readable);
        foreach (var (placeholder, name) in names)
        {
            // Names as a reader would choose them; a digest is its own name.
            text =
                placeholder.Contains("sha256", StringComparison.Ordinal)
                || name.StartsWith("sha256:", StringComparison.Ordinal)
                    ? text.Replace(placeholder, name, StringComparison.Ordinal)
                    : text.Replace(placeholder, placeholder[1..^1], StringComparison.Ordinal)
                        .Replace(name, placeholder[1..^1], StringComparison.Ordinal);
        }

        return text.Replace(Host.Http.BaseAddress!.Authority, "127.0.0.1:7071", StringComparison.Ordinal) + "\n";
    }

    // The same bytes on every machine; only the names differ.
    private async Task<Dictionary<string, string>> DropAsync()
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["{alice}"] = Drop.Fresh("alice"),
            ["{bob}"] = Drop.Fresh("bobby"),
            ["{hello}"] = Drop.Fresh("hello"),
        };
        names["{token}"] = await Host.TokenForAsync(names["{alice}"]);

        var web = new Layout();
        var image = Image(web, "web");
        names["{web}"] = Layout.Digest(image);
        web.Index(Layout.Tagged(image, "latest"), Layout.Tagged(image, "v1"), Image(web, "old"));
        var multi = new Layout();
        var (amd64, arm64) = (Image(multi, "amd64"), Image(multi, "arm64"));
        var index = multi.AddIndex(
            Layout.OciIndex,
            Layout.For(amd64, "linux", "amd64"),
            Layout.For(arm64, "linux", "arm64")
        );
        (names["{amd64}"], names["{multi}"]) = (Layout.Digest(amd64), Layout.Digest(index));
        multi.Index(Layout.Tagged(index, "latest"));
        var hello = SampleImage.Layout().ToDictionary(f => f.Path, f => f.Content);
        names["{sample}"] = JsonNode.Parse(hello["index.json"])!["manifests"]![0]!["digest"]!.GetValue<string>();

        await Host.LayoutAsync($"{names["{alice}"]}/web", web);
        await Host.LayoutAsync($"{names["{alice}"]}/app", new Layout().With(web).Index(image));
        await Host.LayoutAsync($"{names["{alice}"]}/multi", multi);
        foreach (var (path, content) in hello)
        {
            await Host.FileAsync($"official/{names["{hello}"]}/{path}", content);
        }

        // One that is refused, one that waits for its layer.
        await Host.FileAsync($"{names["{alice}"]}/web/blobs/sha256/{new string('a', 64)}", "other bytes"u8.ToArray());
        var waits = new Layout();
        waits.Index(Layout.Tagged(Image(waits, "waits"), "latest"));
        await Host.LayoutAsync(
            $"{names["{alice}"]}/waits",
            waits,
            waits.Files.Keys.Where(p => p != waits.FirstLayer).OrderBy(p => p == "index.json")
        );
        await SettledAsync(names);
        return names;
    }

    private async Task SettledAsync(Dictionary<string, string> names)
    {
        Reply? problems = null;
        await Until.TrueAsync(
            async () =>
            {
                var own = await Host.ListAsync(names["{token}"], $"namespace={names["{alice}"]}");
                var official = await Host.ListAsync(names["{token}"], $"namespace=official/{names["{hello}"]}&tagged");
                problems = await Host.AskAsync("/v1/images/problems", names["{token}"]);
                return own.Images.Count == 4
                    && own.Images.Sum(i => i["tags"]!.AsArray().Count) == 3
                    && official.Images.Count == 1
                    && problems.Json["data"]!["problems"]!.AsArray().Count == 2;
            },
            async () => $"{problems!.Text} {await Host.ExplainAsync(names["{alice}"])}"
        );
    }

    // Nothing in it is compressed: the bytes of that are another library's to choose.
    private static JsonObject Image(Layout layout, string text)
    {
        var layer = layout.Add(Layout.OciTar, Layout.Tar("etc/text", text));
        var config = new JsonObject
        {
            ["created"] = "2026-01-02T03:04:05.678Z",
            ["architecture"] = "amd64",
            ["os"] = "linux",
            ["config"] = new JsonObject
            {
                ["Entrypoint"] = new JsonArray("/bin/run"),
                ["Cmd"] = new JsonArray("--name", text),
                ["Env"] = new JsonArray("PATH=/bin"),
                ["Labels"] = new JsonObject { ["org.opencontainers.image.title"] = text },
            },
        };
        return layout.AddManifest(layout.Add(Layout.OciConfig, Encoding.UTF8.GetBytes(config.ToJsonString())), layer);
    }
}
