using System.Text.RegularExpressions;

namespace ImagesFunctions.Tests.Infra;

/// <summary>What a linter does not ask of the workflows.</summary>
public sealed class Workflows
{
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
            permission => Assert.Equal("security-events", permission.Groups[1].Value)
        );
        Assert.DoesNotContain("pull_request_target", Read(file));
    }

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_job_ends_and_leaves_no_token_behind(string file)
    {
        var jobs = Regex.Count(Read(file), "runs-on: ");
        Assert.Equal(jobs, Regex.Count(Read(file), @"timeout-minutes: \d+"));
        Assert.Equal(jobs, Regex.Count(Read(file), "persist-credentials: false"));
    }

    private static string Read(string file) => Repo.Read($".github/workflows/{file}");
}
