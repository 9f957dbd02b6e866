using System.Text.RegularExpressions;

namespace ImagesFunctions.Tests.Infra;

/// <summary>What a linter does not ask of the workflows.</summary>
public sealed class Workflows
{
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
            permission => Assert.Equal("security-events", permission)
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
