using System.Text;
using ImagesFunctions.Oci;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.GarbageCollection;

/// <summary>What the collector decides about rows that say who needs what.</summary>
public sealed class DependencyGarbageTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private static readonly DateTimeOffset s_now = DateTimeOffset.UnixEpoch.AddYears(1);
    private static readonly DateTimeOffset s_old = s_now.AddDays(-31);
    private static readonly DependencyGarbage s_garbage = new(null!, null!, new SweepAge(s_now, new SweepOptions()));

    /// <summary>Who needs the blob <c>layer</c>, and what else there is; one thing a case.</summary>
    private static readonly Dictionary<string, (bool Goes, string By, TableRow[] Rows)> s_cases = new()
    {
        ["its manifest is gone"] = (true, "image", []),
        ["its manifest has a blob"] = (false, "image", [Blob("image").ToRow()]),
        // Bytes may be written anew over those that go, and then nobody writes these rows again.
        ["the blob of its manifest goes"] = (false, "image", [Blob("image", BlobState.Deleting).ToRow()]),
        ["the blob of its manifest is invalid"] = (false, "image", [Blob("image", Invalid).ToRow()]),
        ["its manifest is an image"] = (false, "image", [Image("image").ToRow()]),
        ["its manifest is hidden"] = (false, "image", [Image("image", ImageState.Hidden).ToRow()]),
        ["its manifest is deleted"] = (true, "image", [Image("image", ImageState.Deleted).ToRow()]),
        ["its manifest waits without a blob"] = (true, "image", [Image("image", ImageState.Waiting).ToRow()]),
        ["another manifest has a blob"] = (true, "image", [Blob("other").ToRow(), Image("other").ToRow()]),
        ["index.json needs it"] = (false, "index.json", []),
        ["its tag waits"] = (false, "tag:latest", [Tag("latest", "layer", null).ToRow()]),
        ["its tag does not wait any more"] = (true, "tag:latest", [Tag("latest", "layer").ToRow()]),
        ["its tag waits for another"] = (true, "tag:latest", [Tag("latest", "other", null).ToRow()]),
        ["its tag is gone"] = (true, "tag:latest", []),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_need_goes_with_who_has_it(string @case)
    {
        var (goes, by, rows) = s_cases[@case];
        var need = Need("layer", by).ToRow();
        var view = ViewOf(s_old, [need, .. rows]);

        var changes = await s_garbage.ChangesAsync(view, (await view.GetAsync(need.Key, Stop))!, Stop);

        Assert.Equal(goes ? [$"-n!web!layer!{by} if same"] : [], Texts(changes));
    }

    [Theory]
    // However young: its tag was set by the same commit, and is read in the same decision.
    [InlineData("tag:latest", 0, true)]
    [InlineData("image", 29, false)]
    [InlineData("image", 30, true)]
    public async Task A_need_of_a_manifest_stays_while_it_is_young(string by, int days, bool goes)
    {
        var need = Need("layer", by).ToRow();
        var view = ViewOf(s_now.AddDays(-days), need);
        var changes = await s_garbage.ChangesAsync(view, (await view.GetAsync(need.Key, Stop))!, Stop);
        Assert.Equal(goes ? 1 : 0, changes.Count);
    }

    [Theory]
    [InlineData("""{"schemaVersion":2,"manifests":[MANIFEST a,MANIFEST c]}""", "-n!web!b!index.json if same")]
    [InlineData(
        """{"schemaVersion":2,"manifests":[MANIFEST c]}""",
        "-n!web!a!index.json if same, -n!web!b!index.json if same"
    )]
    [InlineData("""{"schemaVersion":2,"manifests":[MANIFEST a,MANIFEST b]}""", "")]
    [InlineData("no JSON", "-n!web!a!index.json if same, -n!web!b!index.json if same")]
    [InlineData(null, "-n!web!a!index.json if same, -n!web!b!index.json if same")]
    public async Task A_need_of_index_json_goes_when_that_names_it_no_more(string? file, string expected)
    {
        // An app each: nothing is left of the case before.
        var app = $"app{(file ?? "").Length}";
        if (file is not null)
        {
            foreach (var name in (string[])["a", "b", "c"])
            {
                file = file.Replace(
                    $"MANIFEST {name}",
                    $$"""{"mediaType":"{{Layout.OciManifest}}","digest":"{{D(name)}}","size":1}""",
                    StringComparison.Ordinal
                );
            }

            await shared.Node.PutAsync($"alice/{app}/index.json", Encoding.UTF8.GetBytes(file));
        }

        var layoutIndex = shared.Node.Services.GetRequiredService<LayoutIndex>();
        var garbage = new DependencyGarbage(null!, layoutIndex, new SweepAge(s_now, new SweepOptions()));
        TableRow[] needs = [Need("a", "index.json").ToRow(), Need("b", "index.json").ToRow()];
        var repository = Repository.Of(Namespace, app);

        var changes = await garbage.NamedChangesAsync(ViewOf(needs), repository, [.. needs.Select(n => n.Key)], Stop);

        Assert.Equal(expected.Split(", ", StringSplitOptions.RemoveEmptyEntries), Texts(changes));
    }
}
