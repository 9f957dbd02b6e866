using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace ImagesFunctions.Tests.Infra;

/// <summary>What comes from elsewhere is of one exact version, and nothing hides what is known about it.</summary>
public sealed class SupplyChain
{
    private static IEnumerable<string> Projects => Files("*.csproj").Concat(Files("*.props"));

    [Fact]
    public void No_warning_about_a_package_is_silenced() =>
        Assert.All(
            Projects,
            file =>
            {
                var settings = XDocument.Load(file).Descendants().ToList();
                Assert.DoesNotContain(settings, s => s.Name.LocalName is "NuGetAuditSuppress" or "NuGetAudit");
                Assert.DoesNotContain(settings, s => s.Name.LocalName == "NuGetAuditLevel");
                Assert.All(
                    settings.Where(s => s.Name.LocalName is "NoWarn" or "DisabledWarnings"),
                    s => Assert.DoesNotContain("NU", s.Value)
                );
            }
        );

    [Fact]
    public void Every_package_has_one_exact_version()
    {
        var versions = XDocument.Load(Repo.Path("Directory.Packages.props")).Descendants("PackageVersion").ToList();
        Assert.NotEmpty(versions);
        Assert.All(versions, v => Assert.Matches(@"^\d+\.\d+\.\d+$", v.Attribute("Version")!.Value));
    }

    [Fact]
    public void Every_tool_has_one_exact_version()
    {
        var tools = JsonNode.Parse(Repo.Read(".config/dotnet-tools.json"))!["tools"]!.AsObject();
        Assert.All(
            tools,
            tool =>
            {
                Assert.Matches(@"^\d+\.\d+\.\d+$", tool.Value!["version"]!.GetValue<string>());
                Assert.False(tool.Value["rollForward"]!.GetValue<bool>());
            }
        );
    }

    /// <summary>What an npm package wants to run when it is installed is not run, and its lock decides what is installed.</summary>
    [Fact]
    public void Packages_of_npm_are_installed_by_their_lock_and_run_nothing() =>
        Assert.All(
            Directory
                .EnumerateFiles(Repo.Path(".ci"))
                .SelectMany(file => Regex.Matches(File.ReadAllText(file), @"npm (?:ci|install) (--prefix[^\n]*)")),
            install =>
            {
                Assert.StartsWith("npm ci ", install.Value, StringComparison.Ordinal);
                Assert.Contains("--ignore-scripts", install.Value);
            }
        );

    private static IEnumerable<string> Files(string pattern) =>
        Directory
            .EnumerateFiles(Repo.Path("."), pattern, SearchOption.AllDirectories)
            .Where(file =>
                !file.Split('/', '\\').Intersect(["bin", "obj", "node_modules", "work"], StringComparer.Ordinal).Any()
            );
}
