using System.Text.RegularExpressions;

namespace ImagesFunctions.Tests.Infra;

/// <summary>What a linter does not ask of the workflows.</summary>
public sealed class Workflows
{
    private const string Deployment = "azure-dev.yml";
    private const string Publishing = "publish";

    public static TheoryData<string> Files =>
        [.. Directory.EnumerateFiles(Repo.Path(".github/workflows"), "*.yml").Select(f => Path.GetFileName(f))];

    /// <summary>A tag can be moved by whoever owns the action; a commit cannot. Dependabot reads the tag in the comment.</summary>
    [Theory]
    [MemberData(nameof(Files))]
    public void Actions_are_pinned_to_a_commit_and_say_its_tag(string file) =>
        Assert.All(
            Regex.Matches(Read(file), @"uses: (.+)"),
            action => Assert.Matches(@"^[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", action.Groups[1].Value)
        );

    [Fact]
    public void An_action_has_one_version_in_all_workflows() =>
        Assert.All(
            Files
                .SelectMany(file => Regex.Matches(Read(file), @"uses: ([\w-]+/[\w-]+)[\w/-]*@(.+)"))
                .GroupBy(action => action.Groups[1].Value, action => action.Groups[2].Value, StringComparer.Ordinal),
            action => Assert.Single(action.Distinct(StringComparer.Ordinal))
        );

    [Theory]
    [MemberData(nameof(Files))]
    public void Nothing_may_write_but_the_results_of_a_scan(string file)
    {
        Assert.Matches(@"(?m)^permissions:( \{\}|\n  contents: read)$", Read(file));
        Assert.All(
            // But for the job that only passes on what another one has built: the next test.
            Jobs(file).Where(job => job.Name != Publishing).SelectMany(job => Written(job.Text)),
            permission =>
                // A token of the run's own is no right to write: Azure asks for it in place of a secret.
                Assert.Contains(permission, (string[])(file == Deployment ? ["id-token"] : ["security-events"]))
        );
        Assert.DoesNotContain("pull_request_target", Read(file));
        Assert.DoesNotContain("write-all", Read(file));
    }

    /// <summary>What may write runs nothing of this repository, nor of its packages.</summary>
    [Fact]
    public void What_publishes_a_release_runs_no_code_of_the_repository()
    {
        var job = Jobs("release.yml").Single(job => job.Name == Publishing).Text;
        Assert.Equal(["attestations", "contents", "id-token"], Written(job).Order(StringComparer.Ordinal));
        Assert.DoesNotContain("actions/checkout", job);
        Assert.All(
            Regex.Matches(job, @"run: (.+)"),
            command => Assert.Matches(@"^(gh release create|sha256sum --check) ", command.Groups[1].Value)
        );
        Assert.All(
            Regex.Matches(job, @"uses: ([\w/-]+)"),
            action => Assert.Contains(action.Groups[1].Value, (string[])["actions/download-artifact", "actions/attest"])
        );
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
        Assert.Equal(jobs, Jobs(file).Count);
        Assert.Equal(jobs, Regex.Count(Read(file), @"timeout-minutes: \d+"));
        Assert.Equal(
            Regex.Count(Read(file), "uses: actions/checkout@"),
            Regex.Count(Read(file), "persist-credentials: false")
        );
    }

    private static IEnumerable<string> Names(string file, string pattern) =>
        Regex.Matches(Repo.Read(file), pattern).Select(match => match.Groups[1].Value).Distinct(StringComparer.Ordinal);

    private static List<(string Name, string Text)> Jobs(string file) =>
        [
            .. Regex
                .Matches(Read(file).Split("\njobs:\n")[1], @"(?m)^  ([\w-]+):\n((?:    .*\n|\s*\n|  #.*\n)*)")
                .Select(job => (job.Groups[1].Value, job.Groups[2].Value)),
        ];

    private static IEnumerable<string> Written(string text) =>
        Regex.Matches(text, @"(?m)^\s+([\w-]+): write$").Select(permission => permission.Groups[1].Value);

    private static string Read(string file) => Repo.Read($".github/workflows/{file}");
}
