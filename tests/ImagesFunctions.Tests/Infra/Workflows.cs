using System.Text.RegularExpressions;

namespace ImagesFunctions.Tests.Infra;

/// <summary>What a linter does not ask of the workflows.</summary>
public sealed class Workflows
{
    private const string Deployment = "deploy.yml";

    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(Repo.Path(".github/workflows"), "*.yml").Select(f => Path.GetFileName(f))];

    [Theory]
    [MemberData(nameof(Files))]
    public void Actions_are_pinned(string file) =>
        Assert.All(
            Regex.Matches(Read(file), @"uses: (\S+)"),
            action => Assert.Matches(@"^[\w-]+/[\w/-]+@(v\d+|[0-9a-f]{40})$", action.Groups[1].Value)
        );

    [Theory]
    [MemberData(nameof(Files))]
    public void Nothing_may_write_but_the_results_of_a_scan(string file)
    {
        Assert.Matches(@"(?m)^permissions:( \{\}|\n  contents: read)$", Read(file));
        Assert.All(
            Regex.Matches(Read(file), @"(?m)^\s+([\w-]+): write$"),
            permission =>
                // A token of the run's own is no right to write: Azure asks for it in place of a secret.
                Assert.Contains(
                    permission.Groups[1].Value,
                    (string[])(file == Deployment ? ["id-token"] : ["security-events"])
                )
        );
        Assert.DoesNotContain("pull_request_target", Read(file));
    }

    [Fact]
    public void What_deploys_is_started_by_hand_knows_no_secret_and_has_every_parameter_of_the_environment()
    {
        var workflow = Read(Deployment);
        Assert.Matches(@"\non:\n  workflow_dispatch:\n(    .+\n)+permissions: \{\}\n", workflow);
        Assert.DoesNotContain("secrets.", workflow);
        Assert.Matches(@"(?s)azd provision --preview.*azd provision --no-prompt.*azd deploy", workflow);
        var parameters = Names("infra/main.bicepparam", @"readEnvironmentVariable\('(\w+)'")
            .Except(["AZURE_PRINCIPAL_ID"]);
        Assert.All(parameters, name => Assert.Contains($"      {name}: ", workflow));
        Assert.Equal(
            parameters.Where(name => name.StartsWith("IMAGES_", StringComparison.Ordinal)),
            Names("azure.yaml", @"(?m)^    - (IMAGES_\w+)$")
        );
        // One that is not set is empty, and Bicep can read only text from that.
        Assert.All(
            Regex.Matches(
                Repo.Read("infra/main.bicepparam"),
                @"(?:int|bool)\(readEnvironmentVariable\('(\w+)', '(\w+)'\)\)"
            ),
            value => Assert.Contains($"vars.{value.Groups[1].Value} || '{value.Groups[2].Value}' }}}}", workflow)
        );
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_job_ends_and_leaves_no_token_behind(string file)
    {
        var jobs = Regex.Count(Read(file), "runs-on: ");
        Assert.Equal(jobs, Regex.Count(Read(file), @"timeout-minutes: \d+"));
        Assert.Equal(jobs, Regex.Count(Read(file), "persist-credentials: false"));
    }

    private static IEnumerable<string> Names(string file, string pattern) =>
        Regex.Matches(Repo.Read(file), pattern).Select(match => match.Groups[1].Value).Distinct(StringComparer.Ordinal);

    private static string Read(string file) => Repo.Read($".github/workflows/{file}");
}
