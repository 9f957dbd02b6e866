using System.Text.RegularExpressions;
using ImagesFunctions.Tests.Infra;

namespace ImagesFunctions.Tests.Architecture;

/// <summary>docs/architecture.md names folders, files and tests.</summary>
public sealed class TheDocument
{
    private static readonly string s_text = Repo.Read("docs/architecture.md");

    [Fact]
    public void Names_files_that_exist()
    {
        var files = Regex.Matches(s_text, @"`((?:\w+/)+\w+\.cs)`").Select(m => m.Groups[1].Value).ToList();

        Assert.InRange(files.Count, 15, 100);
        Assert.All(
            files,
            file =>
                Assert.Contains(
                    (string[])["", "functions/", "functions/ImagesFunctions/"],
                    folder => File.Exists(Repo.Path(folder + file))
                )
        );
    }

    [Fact]
    public void Names_a_test_that_exists_for_each_invariant()
    {
        var rows = Regex.Matches(s_text, @"^\| \d+ \|.*\|(?<tests>[^|]*)\|$", RegexOptions.Multiline);
        var types = typeof(TheDocument).Assembly.GetTypes().Select(t => t.Name).ToHashSet(StringComparer.Ordinal);

        Assert.InRange(rows.Count, 8, 20);
        Assert.All(
            rows,
            row =>
            {
                var tests = Regex
                    .Matches(row.Groups["tests"].Value, @"`(\w+)`")
                    .Select(m => m.Groups[1].Value)
                    .ToList();
                Assert.NotEmpty(tests);
                Assert.Subset(types, tests.ToHashSet(StringComparer.Ordinal));
            }
        );
    }
}
