using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ImagesFunctions.Oci;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.Repositories;

/// <summary>An <c>index.json</c> sets the tags that it names, and drops those that an earlier one had set and it does not name.</summary>
public sealed class LayoutIndexTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private const string Manifest = Layout.OciManifest;

    /// <summary>Rows, the tags of a file (as <c>tag=image</c>), and the rows that stand there afterwards beside <c>j</c> and <c>i</c>.</summary>
    private static readonly Dictionary<string, (TableRow[] Rows, string File, string[] After)> s_cases = new()
    {
        ["its image is there"] = ([Image("a").ToRow()], "v1=a", ["n!web!a!index.json", "t!web!v1 a g layout"]),
        ["its image is still to come"] = (
            [],
            "v1=a",
            ["n!web!a!index.json", "n!web!a!tag:v1", "t!web!v1 a waits layout"]
        ),
        ["its image is hidden"] = (
            [Image("a", ImageState.Hidden).ToRow()],
            "v1=a",
            ["n!web!a!index.json", "t!web!v1 a g layout"]
        ),
        ["its image is deleted"] = (
            [Image("a", ImageState.Deleted).ToRow()],
            "v1=a",
            ["n!web!a!index.json", "n!web!a!tag:v1", "t!web!v1 a waits layout"]
        ),
        ["no tag"] = ([Image("a").ToRow()], "=a", ["n!web!a!index.json"]),
        ["two tags of one image"] = (
            [Image("a").ToRow()],
            "v1=a v2=a",
            ["n!web!a!index.json", "t!web!v1 a g layout", "t!web!v2 a g layout"]
        ),
        ["a tag moves"] = (
            [Image("a").ToRow(), Image("b").ToRow(), Tag("v1", "a", "g", true).ToRow()],
            "v1=b",
            ["n!web!b!index.json", "t!web!v1 b g layout"]
        ),
        ["a tag that a push has set moves"] = (
            [Image("a").ToRow(), Image("b").ToRow(), Tag("v1", "a").ToRow()],
            "v1=b",
            ["n!web!b!index.json", "t!web!v1 b g layout"]
        ),
        ["a tag is named no more"] = (
            [Image("a").ToRow(), Tag("v0", "a", "g", true).ToRow()],
            "v1=a",
            ["n!web!a!index.json", "t!web!v1 a g layout"]
        ),
        ["a tag that a push has set is not named"] = (
            [Image("a").ToRow(), Tag("v0", "a").ToRow()],
            "v1=a",
            ["n!web!a!index.json", "t!web!v0 a g push", "t!web!v1 a g layout"]
        ),
        ["a tag of another app is not named"] = (
            [(Tag("v0", "a", "g", true) with { App = "web2" }).ToRow(), Image("a").ToRow()],
            "=a",
            ["n!web!a!index.json", "t!web2!v0 a g layout"]
        ),
        ["a tag of an image that was deleted and came again"] = (
            [Image("a").ToRow(), Tag("v1", "a", "before", true).ToRow()],
            "v1=a",
            ["n!web!a!index.json", "t!web!v1 a g layout"]
        ),
        ["of a tag that is named twice the first counts"] = (
            [Image("a").ToRow(), Image("b").ToRow()],
            "v1=a v1=b",
            ["n!web!a!index.json", "n!web!b!index.json", "t!web!v1 a g layout", "x: the tag 'v1' is named twice"]
        ),
        ["what is no tag"] = ([Image("a").ToRow()], "-=a", ["n!web!a!index.json", "x: '-' is not a tag"]),
        ["a name with a repository before its tag"] = (
            [Image("a").ToRow()],
            "docker.io/library/alpine:3.20=a",
            ["n!web!a!index.json", "t!web!3.20 a g layout"]
        ),
        ["it was deleted though it is named"] = (
            [(Need("a", "index.json") with { Deleted = true }).ToRow()],
            "=a",
            // A new file names it anew.
            ["n!web!a!index.json"]
        ),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Its_tags_are_those_of_the_layout(string @case)
    {
        var (rows, file, after) = s_cases[@case];
        var repository = await PutAsync(rows);
        await ApplyAsync(repository, file);
        Assert.Equal(after, await RowsAsync(repository));

        // Once more, as a repeated event does: nothing changes.
        var version = await shared.Node.RowStore.VersionAsync(repository.Namespace, Stop);
        await IndexOf().LandedAsync(new IndexPath(repository), Stop);
        Assert.Equal(after, await RowsAsync(repository));
        Assert.Equal(version, await shared.Node.RowStore.VersionAsync(repository.Namespace, Stop));
    }

    [Fact]
    public async Task What_was_deleted_stays_so_while_the_same_file_names_it()
    {
        var repository = await PutAsync([]);
        await ApplyAsync(repository, "=a");
        var deleted = (Need("a", "index.json") with { Deleted = true }).ToRow();
        await WriteAsync(repository, [deleted]);

        await IndexOf().LandedAsync(new IndexPath(repository), Stop);
        Assert.Equal(["n!web!a!index.json deleted"], await RowsAsync(repository));

        await ApplyAsync(repository, "=a");
        Assert.Equal(["n!web!a!index.json"], await RowsAsync(repository));
    }

    [Theory]
    [InlineData(97, 0)]
    [InlineData(96, 96)]
    [InlineData(200, 150)]
    [InlineData(0, 300)]
    public async Task Very_many_tags_are_set_and_dropped_in_as_many_commits_as_it_takes(int before, int after)
    {
        var repository = await PutAsync([Image("a").ToRow()]);
        await ApplyAsync(
            repository,
            string.Join(' ', Enumerable.Range(0, before).Select(i => $"b{i}=a").Prepend("=a"))
        );
        // The second half waits for its image.
        await ApplyAsync(
            repository,
            string.Join(' ', Enumerable.Range(0, after).Select(i => $"a{i}={(i % 2 == 0 ? "a" : "b")}").Prepend("=a"))
        );

        var tags = (await RowsAsync(repository)).Where(row => row[0] == 't').ToList();

        Assert.Equal(after, tags.Count);
        Assert.Equal(after / 2, tags.Count(tag => tag.Contains(" b waits ", StringComparison.Ordinal)));
        Assert.All(tags, tag => Assert.StartsWith("t!web!a", tag, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"schemaVersion":2,"manifests":[]}""", "")]
    [InlineData("""{"schemaVersion":2}""", "an index needs the member manifests")]
    [InlineData("no JSON", "JSON")]
    [InlineData(
        """{"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":[]}""",
        "declared as application/vnd.oci.image.index.v1+json"
    )]
    public async Task One_that_is_no_index_is_refused_and_changes_no_tag(string file, string reason)
    {
        var repository = await PutAsync([Image("a").ToRow(), Tag("v0", "a", "g", true).ToRow()]);
        await PutFileAsync(repository, Encoding.UTF8.GetBytes(file));

        await IndexOf().LandedAsync(new IndexPath(repository), Stop);

        var rows = await RowsAsync(repository);
        if (reason.Length == 0)
        {
            Assert.Empty(rows);
        }
        else
        {
            Assert.Equal("t!web!v0 a g layout", rows[0]);
            Assert.Contains(reason, rows[1], StringComparison.Ordinal);
        }

        // It heals when it goes.
        await shared.Node.Storage.Images.GetBlobClient($"{repository}/index.json").DeleteAsync(cancellationToken: Stop);
        await IndexOf().LandedAsync(new IndexPath(repository), Stop);
        Assert.DoesNotContain(await RowsAsync(repository), row => row[0] == 'x');
    }

    [Fact]
    public async Task It_tells_what_the_file_names_and_nothing_where_there_is_none()
    {
        var repository = await PutAsync([]);
        Assert.Empty(await IndexOf().NamedAsync(new IndexPath(repository), Stop));
        await PutFileAsync(repository, FileOf("v1=a =b"));
        Assert.Equal(
            new HashSet<Digest> { D("a"), D("b") },
            await IndexOf().NamedAsync(new IndexPath(repository), Stop)
        );
        await PutFileAsync(repository, "no JSON"u8.ToArray());
        Assert.Empty(await IndexOf().NamedAsync(new IndexPath(repository), Stop));
    }

    private LayoutIndex IndexOf() => shared.Node.Services.GetRequiredService<LayoutIndex>();

    private async Task ApplyAsync(Repository repository, string file)
    {
        await PutFileAsync(repository, FileOf(file));
        await IndexOf().LandedAsync(new IndexPath(repository), Stop);
    }

    // "v1=a =b": the manifest a by the tag v1, and b without a tag.
    private static byte[] FileOf(string text) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new JsonObject
            {
                ["schemaVersion"] = 2,
                ["manifests"] = new JsonArray([
                    .. text.Split(' ')
                        .Select(part => part.Split('='))
                        .Select(part =>
                        {
                            var descriptor = new JsonObject
                            {
                                ["mediaType"] = Manifest,
                                ["digest"] = $"{D(part[1])}",
                                ["size"] = 1,
                            };
                            return part[0].Length == 0 ? descriptor : Layout.Tagged(descriptor, part[0]);
                        }),
                ]),
            }
        );

    private Task PutFileAsync(Repository repository, byte[] bytes) =>
        shared.Node.PutAsync($"{repository}/index.json", bytes);

    // Writes rows into a namespace that has none.
    private async Task<Repository> PutAsync(TableRow[] rows)
    {
        var repository = Repository.Of($"n{Guid.NewGuid():N}", App);
        await WriteAsync(repository, rows);
        return repository;
    }

    private async Task WriteAsync(Repository repository, TableRow[] rows)
    {
        if (rows.Length > 0)
        {
            Change[] changes = [.. rows.Select(row => new Change(row.Key, row))];
            Assert.True((await shared.Node.Storage.ImageRows.WriteAsync(repository.Namespace, changes, Stop)).IsDone);
        }
    }

    private async Task<List<string>> RowsAsync(Repository repository)
    {
        var rows = await shared.Node.Storage.ImageRows.RangeAsync(repository.Namespace, new KeyRange("n", "y"), Stop);
        return
        [
            .. rows.Where(row => row.Key[0] is 'n' or 't' or 'x')
                .Select(row =>
                    row.Key[0] == 'x'
                        ? "x: " + row.Text("reason").Split(": the first")[0].Split(" and names")[0]
                        : SomeRows.Text(new Change(row.Key, row))[1..]
                )
                .Order(StringComparer.Ordinal),
        ];
    }
}
