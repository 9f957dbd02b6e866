using System.Text;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Oci;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.Repositories;

/// <summary>Whether a pushed manifest is committed, and what is written then; from the rows of its namespace.</summary>
public sealed class PushDecisionTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private static readonly string s_index = Manifests.IndexOf(
        (D("one"), MediaTypes.OciManifest),
        (D("two"), MediaTypes.OciManifest)
    );

    // All that the index needs.
    private static readonly TableRow[] s_children = [Image("one").ToRow(), Image("two").ToRow()];

    // By these names changes show the rows of what it needs.
    private static readonly DependencyRow[] s_needs = [Need("one", "index"), Need("two", "index")];

    // A push of it sets its tag, whatever that pointed to.
    private static readonly TableRow s_moved = Tag("v1", "other", "g", true).ToRow();

    [Fact]
    public async Task A_new_manifest_is_committed_with_all_of_its_rows_and_tags()
    {
        var push = await DecideAsync(s_index, [.. s_children, s_moved], "v1");

        Assert.Equal(ManifestState.Committed, push.Decision.Result.State);
        Assert.Equal(
            [
                "+b!index!web good if new",
                "+i!web!index complete NEW",
                .. s_needs.Select(n => $"+n!web!{Text($"{n.Needed}")}!index"),
                "+t!web!v1 index NEW push",
            ],
            push.Texts
        );
        var image = ImageRow.From(push.Decision.Changes.Single(c => c.Key[0] == 'i').Row!);
        Assert.Equal(new StoredManifest(push.Step.Created!.BlobETag, s_index.Length), image.Stored);
    }

    [Fact]
    public async Task One_whose_blob_is_there_leaves_its_row_as_it_is()
    {
        var (path, etag) = await StoredAsync(s_index);
        var own = (Blob("index") with { BlobETag = etag }).ToRow();
        var push = await DecideAsync(path, s_index, [.. s_children, own], ["v1"], null);

        Assert.Equal(ManifestState.Committed, push.Decision.Result.State);
        Assert.Null(push.Step.Created);
        Assert.DoesNotContain(push.Texts, change => change[1] == 'b');
    }

    [Fact]
    public async Task One_that_is_assumed_to_be_new_is_committed_only_if_its_row_is_new()
    {
        var (path, own) = ((await StoredAsync(content: null)).Path, Blob("index").ToRow());
        var push = await DecideAsync(path, s_index, [.. s_children, own], [], null, assumesNew: true);

        // The row was not read: the transaction is what finds it.
        Assert.Equal(ManifestState.Committed, push.Decision.Result.State);
        Assert.Contains("+b!index!web good if new", push.Texts);
    }

    [Fact]
    public async Task One_that_is_assumed_to_be_new_and_is_stored_already_begins_anew()
    {
        var (path, _) = await StoredAsync(s_index);
        var push = await DecideAsync(path, s_index, s_children, ["v1"], null, assumesNew: true);

        Assert.Equal(ManifestState.Forgotten, push.Decision.Result.State);
        Assert.Empty(push.Texts);
    }

    [Theory]
    // With the rows of the blob, the image and the tag.
    [InlineData(59, false, "Committed", 62)]
    [InlineData(60, true, "Committed", 3)]
    [InlineData(60, false, "Forgotten", 0)]
    public async Task Of_more_than_60_needs_and_tags_the_needs_are_written_before_and_have_to_be_there(
        int children,
        bool areThere,
        string outcome,
        int changes
    )
    {
        string[] names = [.. Enumerable.Range(0, children).Select(i => $"child{i}")];
        var index = Manifests.IndexOf([.. names.Select(name => (D(name), MediaTypes.OciManifest))]);
        TableRow[] rows =
        [
            .. names.Select(name => Image(name).ToRow()),
            .. names.Where(_ => areThere).Select(name => Need(name, "index", MediaTypes.OciManifest).ToRow()),
        ];

        var push = await DecideAsync(index, rows, "v1");

        Assert.Equal(outcome, $"{push.Decision.Result.State}");
        Assert.Equal(changes, push.Texts.Length);
        var (ns, lowest) = (push.Step.Path.Repository.Namespace, push.Step.Dependencies[^1].Key);
        Assert.Equal(children == 60, await shared.Node.RowStore.GetAsync(ns, lowest, Stop) is not null);
    }

    [Fact]
    public async Task One_that_was_committed_gets_its_tags_alone()
    {
        var (path, etag) = await StoredAsync(s_index);
        var own = (Blob("index") with { BlobETag = etag }).ToRow();
        var push = await DecideAsync(path, s_index, [Image("index").ToRow(), own, s_moved], ["v1"], null);

        Assert.Equal(ManifestState.Already, push.Decision.Result.State);
        Assert.Equal(["+t!web!v1 index g push"], push.Texts);
    }

    [Fact]
    public async Task One_whose_blob_is_not_what_its_row_says_begins_anew()
    {
        var (path, _) = await StoredAsync(s_index);
        var push = await DecideAsync(path, s_index, [.. s_children, Blob("index").ToRow()], ["v1"], null);

        Assert.Equal(ManifestState.Forgotten, push.Decision.Result.State);
        Assert.Empty(push.Texts);
    }

    [Theory]
    [InlineData("", "config, layer1, layer2")]
    [InlineData("config layer1 layer2", "")]
    [InlineData("config layer2", "layer1")]
    [InlineData("config layer1 -layer2", "layer2")]
    public async Task Of_an_image_those_blobs_are_missing_that_are_not_verified(string stored, string missing)
    {
        TableRow[] rows =
        [
            .. stored
                .Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(name => Blob(name.TrimStart('-'), name[0] == '-' ? Invalid : BlobState.Good).ToRow()),
        ];
        // No config of an image, so that it is not read.
        var image = Manifests.ImageOf([D("layer1"), D("layer2")], D("config"), "a/b");

        IsMissing(missing, await DecideAsync(image, rows));
    }

    [Fact]
    public async Task Of_an_index_those_manifests_are_missing_that_are_not_complete()
    {
        string[] names = ["complete", "hidden", "waiting", "deleted", "none"];
        TableRow[] rows =
        [
            .. names[..4].Select((name, i) => Image(name, Enum.GetValues<ImageState>()[i]).ToRow()),
            // The blob of a manifest is no manifest.
            Blob("none").ToRow(),
        ];
        var index = Manifests.IndexOf([.. names.Select(name => (D(name), MediaTypes.OciManifest))]);

        IsMissing("hidden, waiting, deleted, none", await DecideAsync(index, rows));
    }

    [Theory]
    [InlineData("v1", "Unmatched")]
    [InlineData("v2", "Committed")]
    public async Task A_condition_that_does_not_hold_stops_all_of_it(string tag, string outcome)
    {
        var (path, _) = await StoredAsync(content: null);
        TableRow[] rows = [.. s_children, Tag("v1", "one").ToRow()];
        var absent = new TagCondition(tag, null, new ETags(true, new HashSet<string>()));

        var push = await DecideAsync(path, s_index, rows, [tag], absent);

        Assert.Equal(outcome, $"{push.Decision.Result.State}");
        Assert.Equal(outcome == "Committed", push.Step.IsTried);
        Assert.Equal(outcome == "Committed" ? 5 : 0, push.Texts.Length);
    }

    private static void IsMissing(string expected, Pushed push)
    {
        var result = push.Decision.Result;
        Assert.Equal(expected, string.Join(", ", result.Missing.Select(d => Text($"{d}"))));
        Assert.Equal(expected.Length == 0 ? ManifestState.Committed : ManifestState.Waiting, result.State);
        // What misses something leaves nothing.
        Assert.Equal(expected.Length == 0, push.Step.IsTried);
    }

    private sealed record Pushed(PushStep Step, Decision<PushOutcome> Decision)
    {
        // The generation of a new row is random.
        public string[] Texts =>
            [
                .. SomeRows
                    .Texts(Decision.Changes)
                    .Select(t => t.Replace(Step.Prepared.Generation, "NEW", StringComparison.Ordinal)),
            ];
    }

    // A path where nothing is but this; and its ETag.
    private async Task<(BlobPath Path, string ETag)> StoredAsync(string? content)
    {
        var path = new BlobPath(Repository.Of($"n{Guid.NewGuid():N}", App), D("index"));
        var stored = shared.Node.Services.GetRequiredService<Content>();
        return (path, content is null ? "" : (await stored.CreateAsync(path, Encoding.UTF8.GetBytes(content), Stop))!);
    }

    private async Task<Pushed> DecideAsync(string manifest, TableRow[] rows, params string[] tags) =>
        await DecideAsync((await StoredAsync(content: null)).Path, manifest, rows, tags, null);

    // As a journal does: what has to be made first is made, and then it is decided once more.
    private async Task<Pushed> DecideAsync(
        BlobPath path,
        string manifest,
        TableRow[] rows,
        string[] tags,
        TagCondition? condition,
        bool assumesNew = false
    )
    {
        var services = shared.Node.Services;
        var bytes = Encoding.UTF8.GetBytes(manifest);
        var step = new PushStep(
            shared.Node.RowStore,
            services.GetRequiredService<Content>(),
            shared.Node.ImageRows,
            services.GetRequiredService<BlobStore>(),
            new PushedManifest(path, bytes, Manifest.Parse(bytes, null), tags, condition)
        )
        {
            AssumesNew = assumesNew,
        };
        var view = ViewOf(rows);
        var decision = await PushDecision.DecideAsync(view, step, Stop);
        while (decision.Prepare is { } prepare)
        {
            Assert.Empty(decision.Changes);
            await prepare(Stop);
            decision = await PushDecision.DecideAsync(view, step, Stop);
        }

        return new Pushed(step, decision);
    }
}
