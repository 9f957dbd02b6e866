using System.Text.RegularExpressions;

namespace ImagesFunctions.Tests.Infra;

/// <summary>SECURITY.md names the test that shows each defence.</summary>
public sealed class ThreatModel
{
    [Fact]
    public void Every_test_that_it_names_exists()
    {
        var types = typeof(ThreatModel).Assembly.GetTypes();
        var named = Regex.Matches(Repo.Read("SECURITY.md"), @"`(\w+)(?:\.([A-Z]\w+))?`(?=[^|\n]*\|\n)");
        Assert.InRange(named.Count, 20, 150);
        Assert.All(
            named,
            test =>
            {
                var type = Assert.Single(types, type => type.Name == test.Groups[1].Value);
                Assert.True(
                    !test.Groups[2].Success || type.GetMethod(test.Groups[2].Value) is not null,
                    $"There is no test {test.Value}."
                );
            }
        );
    }
}
