using System.Net;
using CliWrap;
using CliWrap.Buffered;
using static ImagesFunctions.Tests.Contract.Envelopes;

namespace ImagesFunctions.Tests.Contract;

/// <summary>
/// Lines as documentation prints them, pasted into a shell: real quoting, real curl. Only the server, the token and the
/// names are ours. KraftCloud's own have a backslash before `=` and `&amp;` inside double quotes, where the shell leaves it.
/// </summary>
public sealed class CurlLines(KestrelFixture fixture) : AgainstAHost(fixture)
{
    private const string Auth = """-H "Authorization: Bearer ${UKC_TOKEN}" """;

    private static readonly string[] Web = ["{alice}/web@{one}"];

    private static readonly Dictionary<string, string[]> Lines = new(StringComparer.Ordinal)
    {
        [$$"""curl -X GET {{Auth}} "${UKC_METRO}/images/list?namespace\={alice}/web\&tagged" """] = Web,
        [
            $$"""curl -X GET {{Auth}} -H "Content-Type: application/json" "${UKC_METRO}/images/list?namespace\={alice}/web\&tagged" """
        ] = Web,
        // Without the quotes the shell takes the backslashes away.
        [$$"""curl -X GET {{Auth}} ${UKC_METRO}/images/list?namespace\={alice}/web\&tagged"""] = Web,
        [$$"""curl {{Auth}} "${UKC_METRO}/images/list?namespace={alice}/web&tagged" """] = Web,
        [
            $$"""curl {{Auth}} -G "${UKC_METRO}/images/list" --data-urlencode "namespace={alice}/web" --data-urlencode tagged="""
        ] = Web,
        // A body, in single quotes that arrive and in ones that do not, with a form's Content-Type and with the right one.
        [
            $$"""curl -X GET {{Auth}} -H "Content-Type: application/json" "${UKC_METRO}/images/list" -d "'{\"digest\": \"{alice}/web@{one}\"}'" """
        ] = Web,
        [$$"""curl -X GET {{Auth}} "${UKC_METRO}/images/list" -d "'{\"tag\": \"{alice}/web:latest\"}'" """] = Web,
        [$$"""curl -X GET {{Auth}} "${UKC_METRO}/images/list" -d '{"tag": "{alice}/web:latest"}'"""] = Web,
        [
            $$"""
            curl -X GET \
              -H "Authorization: Bearer ${UKC_TOKEN}" \
              -H "Content-Type: application/json" \
              "${UKC_METRO}/images/list?namespace\={alice}\&tagged" \
              -d '{
                "digest": "{alice}/web@{one}"
              }'
            """
        ] = Web,
        // As the documentation prints it: names and strings in single quotes over several lines.
        [
            $$"""
            curl -X GET \
              -H "Authorization: Bearer ${UKC_TOKEN}" \
              -H "Content-Type: application/json" \
              "${UKC_METRO}/images/list" \
              -d "{
                'digest': '{alice}/web@{one}'
            }"
            """
        ] = Web,
        [
            $$"""
            curl -X GET {{Auth}} "${UKC_METRO}/images/list?namespace\={alice}\&tagged" -d "'{
                'tag': '{alice}/web:1'
            }'"
            """
        ] = Web,
        [
            $$"""
            curl -X GET {{Auth}} "${UKC_METRO}/images/list" -d "[
                {'tag': '{alice}/web:1'},
                {'digest': '{hello}@{five}'}
            ]"
            """
        ] = ["{alice}/web@{one}", "{hello}@{five}"],
        [
            $$"""printf '{"tag":"{alice}/web:1"}' | curl -X GET {{Auth}} -H "Transfer-Encoding: chunked" --data-binary @- "${UKC_METRO}/images/list" """
        ] = Web,
        [
            $$"""curl -X GET {{Auth}} "${UKC_METRO}/images/list" --json '[{"tag":"{alice}/web:1"},{"digest":"{hello}@{five}"}]'"""
        ] = ["{alice}/web@{one}", "{hello}@{five}"],
        [$$"""curl --compressed {{Auth}} "${UKC_METRO}/images/list?namespace=official/{hello}" """] =
        [
            "{hello}@{five}",
        ],
    };

    public static TheoryData<string> Names => [.. Lines.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Pasted_into_a_shell_it_lists(string line)
    {
        var world = await World.OfAsync(Host);

        var answer = await PasteAsync(world, line);

        AssertSuccess(answer);
        Assert.Equal(Lines[line].Select(world.Named), answer.Digests);
    }

    [Fact]
    public async Task A_body_that_waits_for_100_continue_and_is_too_long_is_413()
    {
        var world = await World.OfAsync(Host);

        var answer = await PasteAsync(
            world,
            $$"""head -c 1500000 /dev/zero | curl -X GET {{Auth}} -H "Expect: 100-continue" --data-binary @- "${UKC_METRO}/images/list" """
        );

        AssertError(HttpStatusCode.RequestEntityTooLarge, answer);
    }

    [Fact]
    public async Task Dash_d_without_dash_X_GET_is_a_POST_and_the_405_says_how_it_goes()
    {
        var world = await World.OfAsync(Host);

        var answer = await PasteAsync(
            world,
            $$"""curl {{Auth}} "${UKC_METRO}/images/list" -d '{"tag":"{alice}/web:1"}'"""
        );

        AssertError(HttpStatusCode.MethodNotAllowed, answer);
        Assert.Contains("-X GET", answer.Json["message"]!.GetValue<string>(), StringComparison.Ordinal);
    }

    private async Task<Answer> PasteAsync(World world, string line)
    {
        using var stop = Deadline.In();
        // What curl writes behind the body: the test reads status and type from there, the line stays as it is.
        var done = await Cli.Wrap("sh")
            .WithArguments(["-c", world.Named(line)])
            .WithEnvironmentVariables(e =>
                e.Set("UKC_TOKEN", world.AliceToken)
                    .Set("UKC_METRO", $"http://{Host.Http.BaseAddress!.Authority}/v1")
                    .Set("CURL_HOME", AppContext.BaseDirectory)
            )
            .WithValidation(CommandResultValidation.None)
            .ExecuteBufferedAsync(stop.Token);
        Assert.True(done.ExitCode == 0, $"{done.ExitCode} {done.StandardError}");
        var written = done.StandardOutput.LastIndexOf('\n');
        var about = done.StandardOutput[(written + 1)..].Split(' ');
        return new Answer((HttpStatusCode)int.Parse(about[0]), about[1].Split(';')[0], done.StandardOutput[..written]);
    }
}
