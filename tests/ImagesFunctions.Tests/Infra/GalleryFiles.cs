using System.Text.Json;
using System.Text.RegularExpressions;
using YamlDotNet.Serialization;

namespace ImagesFunctions.Tests.Infra;

/// <summary>What the gallery of Azure templates looks for, and what GitHub reads of the repository.</summary>
public sealed class GalleryFiles
{
    private const string DevContainer = ".devcontainer/devcontainer.json";

    public static TheoryData<string> IssueForms =>
        [
            .. Directory
                .EnumerateFiles(Repo.Path(".github/ISSUE_TEMPLATE"), "*.yml")
                .Select(f => Path.GetFileName(f))
                .Where(f => f != "config.yml"),
        ];

    /// <summary>As the gallery's validation asks for them (microsoft/template-validation-action, src/rules.json).</summary>
    [Theory]
    [InlineData("LICENSE")]
    [InlineData("SECURITY.md")]
    [InlineData("CODE_OF_CONDUCT.md")]
    [InlineData("CONTRIBUTING.md")]
    [InlineData(".github/ISSUE_TEMPLATE/bug.yml")]
    [InlineData(".github/workflows/azure-dev.yml")]
    [InlineData("azure.yaml")]
    [InlineData(DevContainer)]
    public void Is_there(string file) => Assert.NotEmpty(Repo.Read(file));

    [Fact]
    public void README_has_the_sections_of_a_template_and_names_files_that_exist()
    {
        var text = Repo.Read("README.md");
        Assert.All(
            (string[])["Features", "Getting Started", "Guidance", "Resources"],
            section => Assert.Contains($"\n## {section}\n", text, StringComparison.Ordinal)
        );
        Assert.All(Linked(text), file => Assert.True(File.Exists(Repo.Path(file)), file));
        Assert.All(Linked(Repo.Read("CONTRIBUTING.md")), file => Assert.True(File.Exists(Repo.Path(file)), file));
    }

    [Fact]
    public void The_development_container_has_the_versions_of_the_build()
    {
        using var container = JsonDocument.Parse(Repo.Read(DevContainer));
        var root = container.RootElement;
        var sdk = Regex.Match(Repo.Read("global.json"), @"""version"": ""(\d+\.\d+)\.").Groups[1].Value;
        Assert.EndsWith($":{sdk}", root.GetProperty("image").GetString(), StringComparison.Ordinal);
        var node = Regex.Match(Repo.Read(".github/workflows/ci.yml"), @"node-version: (\d+)").Groups[1].Value;
        var features = root.GetProperty("features").EnumerateObject().ToList();
        Assert.Equal(
            node,
            Assert.Single(features, f => f.Name.Contains("/node:")).Value.GetProperty("version").GetString()
        );
        Assert.All(features, f => Assert.Matches(@"^ghcr\.io/[\w./-]+:(\d+|latest)$", f.Name));
        var port = new Uri(ImagesFunctions.Local.LocalHost.DefaultUrl).Port;
        Assert.Equal([port], root.GetProperty("forwardPorts").EnumerateArray().Select(p => p.GetInt32()));
    }

    /// <summary>A form that GitHub does not understand is not offered, and nobody is told.</summary>
    [Theory]
    [MemberData(nameof(IssueForms))]
    public void A_form_of_an_issue_is_what_GitHub_understands(string file)
    {
        var form = new DeserializerBuilder()
            .Build()
            .Deserialize<Dictionary<string, object>>(Repo.Read($".github/ISSUE_TEMPLATE/{file}"));
        Assert.Equal(["body", "description", "labels", "name"], form.Keys.Order(StringComparer.Ordinal));
        var parts = ((List<object>)form["body"]).Cast<Dictionary<object, object>>().ToList();
        Assert.All(
            parts,
            part => Assert.Contains(part["type"], (object[])["markdown", "textarea", "input", "dropdown"])
        );
        var asked = parts.Where(part => (string)part["type"] != "markdown").ToList();
        Assert.NotEmpty(asked);
        Assert.All(asked, part => Assert.Contains("label", ((Dictionary<object, object>)part["attributes"]).Keys));
        Assert.Equal(asked.Count, asked.Select(part => part["id"]).Distinct().Count());
    }

    private static IEnumerable<string> Linked(string text) =>
        Regex
            .Matches(text, @"\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)")
            .Select(match => match.Groups[1].Value)
            .Distinct(StringComparer.Ordinal);
}
