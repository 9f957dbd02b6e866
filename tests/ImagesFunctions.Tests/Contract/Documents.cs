using System.Text;
using System.Text.RegularExpressions;
using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Tests.RealImages;

namespace ImagesFunctions.Tests.Contract;

/// <summary>What `docs/images.http` and `docs/images-api.md` show works. Whether it is as documented, the host's client sees to.</summary>
public sealed partial class Documents(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_request_of_the_http_file_is_answered_with_the_status_that_it_says()
    {
        var variables = await SampleAsync();
        var names = new HashSet<string>(StringComparer.Ordinal);
        using var http = OpenApi.Client(Host.Http.BaseAddress!, follows: false);
        foreach (var block in HttpFile().Split("\n### ").Skip(1))
        {
            var lines = block.Split('\n');
            var (title, rest) = (lines[0], lines.Skip(1).SkipWhile(line => line.StartsWith('#')).ToList());
            var expected = StatusInTitle().Match(title) is { Success: true } said
                ? int.Parse(said.Groups["it"].Value)
                : 200;

            using var request = Request(rest, variables);
            using var answer = await http.SendAsync(request, Stop);

            Assert.True(
                (int)answer.StatusCode == expected,
                $"{title}: {request} {answer} {await answer.Content.ReadAsStringAsync(Stop)}"
            );
            if (lines.FirstOrDefault(line => line.StartsWith("# @name ", StringComparison.Ordinal)) is { } name)
            {
                variables[$"{name["# @name ".Length..]}.response.headers.ETag"] = answer.Headers.ETag!.ToString();
            }

            names.Add(OpenApi.Served.OperationOf(request) ?? title);
        }

        // Titles are those of routes and methods that there are not.
        var documented = OpenApi
            .Served.Document.GetProperty("paths")
            .EnumerateObject()
            .SelectMany(path => OpenApi.Operations(path.Value).Select(method => $"{method} {path.Name}"));
        Assert.Empty(documented.Except(names, StringComparer.Ordinal));
        Assert.Equal(2, names.Except(documented, StringComparer.Ordinal).Count());
    }

    [Fact]
    public async Task Every_curl_line_of_the_page_works_as_pasted()
    {
        var variables = await SampleAsync();
        var script = ScriptOf(variables);
        var lines = script.Split('\n').Count(line => line.StartsWith("curl ", StringComparison.Ordinal));
        var folder = Directory.CreateTempSubdirectory();
        try
        {
            await Tool.RunAsync("curl", "--version");
            var done = await PastedAsync(script, folder.FullName, variables["token"]);

            Assert.True(done.ExitCode == 0, done.StandardError);
            var statuses = Statuses().Matches(done.StandardOutput).Select(match => match.Groups["it"].Value).ToList();
            Assert.Equal(lines, statuses.Count);
            Assert.Equal(["304"], statuses.Where(status => status != "200"));
            Assert.Contains("\"status\":\"partial_success\"", done.StandardOutput, StringComparison.Ordinal);
            Assert.Contains("X-Total-Count: ", done.StandardOutput, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    // The lines of the page, with what stands here for its names.
    private static string ScriptOf(Dictionary<string, string> variables)
    {
        var script = string.Join(
                '\n',
                ShellBlocks().Where(block => !block.Contains("dotnet", StringComparison.Ordinal))
            )
            .Replace("demo/alpine", $"{variables["account"]}/{variables["app"]}", StringComparison.Ordinal)
            .Replace("demo%2Falpine", $"{variables["account"]}%2F{variables["app"]}", StringComparison.Ordinal)
            .Replace("demo/none", $"{variables["account"]}/none", StringComparison.Ordinal)
            .Replace("=demo", $"={variables["account"]}", StringComparison.Ordinal)
            .Replace("hello", variables["official"], StringComparison.Ordinal);
        return Sha256().Replace(script, variables["officialDigest"]);
    }

    private async Task<BufferedCommandResult> PastedAsync(string script, string folder, string token) =>
        await Cli.Wrap("bash")
            .WithArguments(["-eu", "-s"])
            .WithWorkingDirectory(folder)
            .WithEnvironmentVariables(environment =>
                environment.Set("HOST", Host.Http.BaseAddress!.GetLeftPart(UriPartial.Authority)).Set("TOKEN", token)
            )
            .WithStandardInputPipe(
                PipeSource.FromString(
                    $$"""
                    curl() { command curl -sS -w '\nSTATUS %{http_code}\n' "$@"; }
                    {{script}}
                    """
                )
            )
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(Stop);

    /// <summary>An account with one image, an official image, and a token: values of the variables of the file.</summary>
    private async Task<Dictionary<string, string>> SampleAsync()
    {
        var (account, official) = (Drop.Fresh("alice"), Drop.Fresh("hello"));
        var token = await Host.TokenForAsync(account);
        var digests = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var repository in new[] { $"{account}/alpine", $"official/{official}" })
        {
            var layout = new Layout();
            var image = layout.AddImage(repository);
            await Host.LayoutAsync(repository, layout.Index(Layout.Tagged(image, "latest")));
            digests[repository] = Layout.Digest(image);
        }

        await Host.ListedAsync(token, $"{account}/alpine", $"{account}/alpine@{digests[$"{account}/alpine"]}");
        await Host.ListedAsync(token, $"official/{official}", $"{official}@{digests[$"official/{official}"]}");
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["host"] = Host.Http.BaseAddress!.GetLeftPart(UriPartial.Authority),
            ["token"] = token,
            ["account"] = account,
            ["app"] = "alpine",
            ["tag"] = "latest",
            ["digest"] = digests[$"{account}/alpine"],
            ["official"] = official,
            ["officialDigest"] = digests[$"official/{official}"],
        };
    }

    /// <summary>A request line, headers, and behind an empty line the body.</summary>
    private static HttpRequestMessage Request(List<string> lines, Dictionary<string, string> variables)
    {
        var filled = lines.ConvertAll(line => Variable().Replace(line, match => variables[match.Groups["it"].Value]));
        var (method, url) = (filled[0].Split(' ')[0], filled[0].Split(' ')[1]);
        var request = new HttpRequestMessage(new HttpMethod(method), url);
        var body = string.Join('\n', filled.SkipWhile(line => line.Length > 0)).Trim();
        request.Content = body.Length > 0 ? new StringContent(body, Encoding.UTF8) : null;
        request.Content?.Headers.Remove("Content-Type");
        foreach (var header in filled.Skip(1).TakeWhile(line => line.Length > 0).Select(line => line.Split(": ", 2)))
        {
            Assert.True(
                request.Headers.TryAddWithoutValidation(header[0], header[1])
                    || request.Content!.Headers.TryAddWithoutValidation(header[0], header[1])
            );
        }

        return request;
    }

    private static string HttpFile() => Read("images.http");

    private static IEnumerable<string> ShellBlocks() =>
        ShellBlock().Matches(Read("images-api.md")).Select(match => match.Groups["it"].Value);

    private static string Read(string name) =>
        File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "docs", name)).ReplaceLineEndings("\n");

    [GeneratedRegex(@"\((?<it>[0-9]{3})\)$", RegexOptions.NonBacktracking)]
    private static partial Regex StatusInTitle();

    [GeneratedRegex(@"\{\{(?<it>[A-Za-z.]+)\}\}", RegexOptions.NonBacktracking)]
    private static partial Regex Variable();

    [GeneratedRegex("```sh\n(?<it>[^`]*)```", RegexOptions.NonBacktracking)]
    private static partial Regex ShellBlock();

    [GeneratedRegex("sha256:[0-9a-f]{64}", RegexOptions.NonBacktracking)]
    private static partial Regex Sha256();

    [GeneratedRegex("^STATUS (?<it>[0-9]+)", RegexOptions.NonBacktracking | RegexOptions.Multiline)]
    private static partial Regex Statuses();
}
