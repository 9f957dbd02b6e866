using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Oci;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.Repositories;

/// <summary>Whether a manifest is committed, and what is written then; from the rows of its namespace.</summary>
public sealed class ManifestDecisionTests(SharedNode shared) : IClassFixture<SharedNode>
{
    // An index needs no bytes but its own, and its children's rows have their facts.
    private static readonly Manifest s_index = Manifests.Parse(
        $$"""
        {"manifests":[
          {"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{D("one")}}","size":1},
          {"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{D("two")}}","size":1}]}
        """,
        MediaTypes.OciIndex
    );

    private static readonly Manifest s_signature = Manifests.Parse(
        $$"""
        {"config":{"mediaType":"a/b","digest":"{{D("config")}}","size":1},"layers":[],
         "subject":{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{D("subject")}}","size":1} }
        """,
        MediaTypes.OciManifest
    );

    // Everything that the index needs to be committed.
    private static readonly TableRow[] s_whole =
    [
        Blob("index").ToRow(),
        Image("one").ToRow(),
        Image("two").ToRow(),
        Need("one", "index", MediaTypes.OciManifest).ToRow(),
        Need("two", "index", MediaTypes.OciManifest).ToRow(),
    ];

    /// <summary>What is different from a whole index, and what comes of it; one thing a case.</summary>
    private static readonly Dictionary<string, (string Outcome, TableRow[] Rows, string[] Changes)> s_cases = new()
    {
        ["it is whole"] = ("Committed", [], ["+i!web!index complete NEW"]),
        ["it was announced"] = (
            "Committed",
            [Image("index", ImageState.Waiting, "g", null, "one", "two").ToRow()],
            ["+i!web!index complete NEW"]
        ),
        ["it was deleted"] = (
            "Committed",
            [Image("index", ImageState.Deleted, "g", null, "one", "two").ToRow()],
            ["+i!web!index complete NEW"]
        ),
        // Its tags are those of the image that was hidden.
        ["it was hidden"] = (
            "Committed",
            [Image("index", ImageState.Hidden, "g", null, "one", "two").ToRow(), Tag("latest", "index").ToRow()],
            ["+i!web!index complete g"]
        ),
        ["it was committed"] = ("Already +", [Image("index", ImageState.Complete, "g", null, "one").ToRow()], []),
        ["a tag waits"] = (
            "Committed",
            [Tag("latest", "index", null, true).ToRow(), Need("index", "tag:latest").ToRow()],
            ["+i!web!index complete NEW", "+t!web!latest index NEW layout", "-n!web!index!tag:latest"]
        ),
        ["its blob is gone"] = ("Unknown", [Without(Blob("index").ToRow())], []),
        ["its blob is invalid"] = ("Unknown", [Blob("index", Invalid).ToRow()], []),
        ["its blob goes"] = ("Unknown", [Blob("index", BlobState.Deleting).ToRow()], []),
        ["its blob was overwritten"] = ("Unknown", [(Blob("index") with { BlobETag = "\"2\"" }).ToRow()], []),
        ["a child is gone"] = ("Waiting", [Without(Image("two").ToRow())], []),
        ["a child is hidden"] = ("Waiting", [Image("two", ImageState.Hidden).ToRow()], []),
        ["a child waits"] = ("Waiting", [Image("two", ImageState.Waiting).ToRow()], []),
        ["a child is deleted"] = ("Waiting", [Image("two", ImageState.Deleted).ToRow()], []),
        ["its needs were swept"] = ("Forgotten", [Without(s_whole[3]), Without(s_whole[4])], []),
        // Beginning with the lowest, which tells that all are there.
        ["the lowest of its needs was swept"] = (
            "Forgotten",
            [Without(s_whole[3..].MinBy(row => row.Key, StringComparer.Ordinal)!)],
            []
        ),
    };

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_manifest_is_committed_when_all_that_it_needs_is_there(string @case)
    {
        var (outcome, rows, expected) = s_cases[@case];
        var (prepared, decision) = await DecideAsync(s_index, "index", Over(s_whole, rows), [], null);
        Assert.Equal(outcome, $"{decision.Result.State}{(decision.Result.MoreTags ? " +" : "")}");
        Assert.Equal(expected, TextsOf(prepared, decision));
    }

    [Theory]
    // A push of it sets its tags, whatever they pointed to.
    [InlineData("it is whole", "Committed", "+i!web!index complete NEW", "+t!web!v1 index NEW push")]
    [InlineData("it was committed", "Already", "+t!web!v1 index g push")]
    [InlineData("its blob is gone", "Unknown")]
    [InlineData("a child is gone", "Waiting")]
    public async Task A_push_sets_its_tags_in_the_same_commit(string @case, string outcome, params string[] expected)
    {
        var rows = Over(s_whole, [.. s_cases[@case].Rows, Tag("v1", "other", "g", true).ToRow()]);
        var (prepared, decision) = await DecideAsync(s_index, "index", rows, ["v1"], null);
        Assert.Equal(outcome, $"{decision.Result.State}");
        Assert.Equal(expected, TextsOf(prepared, decision));
    }

    [Theory]
    [InlineData("v1", "Unmatched")]
    [InlineData("v2", "Committed")]
    public async Task A_condition_that_does_not_hold_stops_all_of_it(string tag, string outcome)
    {
        var rows = Over(s_whole, [Tag("v1", "one").ToRow()]);
        var absent = new TagCondition(tag, null, new ETags(true, new HashSet<string>()));
        var (_, decision) = await DecideAsync(s_index, "index", rows, [tag], absent);
        Assert.Equal(outcome, $"{decision.Result.State}");
        Assert.Equal(outcome == "Committed" ? 2 : 0, decision.Changes.Count);
    }

    [Fact]
    public async Task What_refers_to_another_is_found_from_there_and_is_no_image()
    {
        TableRow[] rows = [Blob("signature").ToRow(), Blob("config").ToRow(), Need("config", "signature").ToRow()];
        var (prepared, decision) = await DecideAsync(s_signature, "signature", rows, [], null);
        Assert.Equal(["+i!web!signature complete NEW", "+r!web!subject!signature"], TextsOf(prepared, decision));
        var image = ImageRow.From(decision.Changes.Single(c => c.Key[0] == 'i').Row!);
        Assert.Equal((false, D("subject")), (image.IsImage, image.Subject));
        var referrer = ReferrerRow.From(decision.Changes.Single(c => c.Key[0] == 'r').Row!);
        Assert.Equal(("a/b", 1), (referrer.ArtifactType, (int)referrer.Size));
    }

    [Fact]
    public async Task A_pin_and_the_time_of_the_commit_outlive_that_it_was_hidden()
    {
        var pin = new ImagePin(DateTimeOffset.UnixEpoch, null);
        var hidden = Image("index", ImageState.Hidden, "g", null, "one", "two") with
        {
            Pin = pin,
            Committed = DateTimeOffset.UnixEpoch,
        };
        var (_, decision) = await DecideAsync(s_index, "index", Over(s_whole, [hidden.ToRow()]), [], null);
        var image = ImageRow.From(Assert.Single(decision.Changes).Row!);
        Assert.Equal((pin, DateTimeOffset.UnixEpoch), (image.Pin, image.Committed));
    }

    [Theory]
    [InlineData(200, 200)]
    [InlineData(201, 1)]
    public async Task The_commit_says_what_it_needs_from_now_on_each_or_in_short(int children, int keys)
    {
        string[] names = [.. Enumerable.Range(0, children).Select(i => $"child{i}")];
        var index = Manifests.Parse(
            $$"""
            {"manifests":[{{string.Join(
                ',',
                names.Select(n => $$"""{"mediaType":"{{MediaTypes.OciManifest}}","digest":"{{D(n)}}","size":1}""")
            )}}]}
            """,
            MediaTypes.OciIndex
        );
        var view = ViewOf([
            Blob("index").ToRow(),
            .. names.Select(n => Image(n).ToRow()),
            .. names.Select(n => Need(n, "index").ToRow()),
        ]);

        var (_, decision) = await DecideAsync(index, "index", view, [], null);

        Assert.Equal(ManifestState.Committed, decision.Result.State);
        Assert.Equal(keys, view.WrittenKeys.Count);
        // Who decides about one of them reads one of these.
        var needs = view.WrittenKeys.ToHashSet();
        Assert.All(names, n => Assert.True(needs.Contains("n!web!") || needs.Contains($"n!web!{D(n)}!")));
    }

    [Fact]
    public async Task Everything_that_it_was_decided_by_makes_it_stale()
    {
        var view = ViewOf(s_whole);
        await DecideAsync(s_index, "index", view, [], null);
        Assert.All(
            (TableRow[])
                [
                    Blob("index").ToRow(),
                    Image("index").ToRow(),
                    Image("one").ToRow(),
                    Image("two").ToRow(),
                    s_whole[3..].MinBy(row => row.Key, StringComparer.Ordinal)!,
                    // A tag that begins to wait for it.
                    Need("index", "tag:latest").ToRow(),
                ],
            row => Assert.True(view.IsTouchedBy([row.Key]), SomeRows.Text(row.Key))
        );
        Assert.False(view.IsTouchedBy([Image("other").Key, Tag("latest", "index").Key, "n!web!"]));
    }

    [Fact]
    public async Task An_index_is_announced_once_with_what_it_names()
    {
        var prepared = Prepared(s_index, "index", ImageState.Waiting);
        var view = ViewOf(Image("other").ToRow());
        var key = Image("index").Key;
        var decision = await ManifestDecision.AnnounceAsync(view, key, prepared, Stop);
        await decision.Prepare!(Stop);
        decision = await ManifestDecision.AnnounceAsync(view, key, prepared, Stop);

        var row = ImageRow.From(Assert.Single(decision.Changes).Row!);
        Assert.True(decision.Result);
        Assert.Equal(ImageState.Waiting, row.State);
        Assert.Equal([$"{D("one")}", $"{D("two")}"], row.Children);

        foreach (var state in Enum.GetValues<ImageState>())
        {
            var known = ViewOf(Image("index", state).ToRow());
            Assert.Empty((await ManifestDecision.AnnounceAsync(known, key, prepared, Stop)).Changes);
        }
    }

    private async Task<(PreparedImage Prepared, Decision<ManifestOutcome> Decision)> DecideAsync(
        Manifest manifest,
        string name,
        TableRow[] rows,
        string[] tags,
        TagCondition? condition
    ) => await DecideAsync(manifest, name, ViewOf(rows), tags, condition);

    // As a journal does: what has to be made first is made, and then it is decided once more.
    private async Task<(PreparedImage Prepared, Decision<ManifestOutcome> Decision)> DecideAsync(
        Manifest manifest,
        string name,
        DecisionView view,
        string[] tags,
        TagCondition? condition
    )
    {
        var prepared = Prepared(manifest, name, ImageState.Complete);
        var needs = Dependencies.NeedsOf(Web, D(name), manifest);
        var decision = await Once();
        if (decision.Prepare is { } prepare)
        {
            Assert.Empty(decision.Changes);
            await prepare(Stop);
            decision = await Once();
        }

        Assert.Null(decision.Prepare);
        return (prepared, decision);

        Task<Decision<ManifestOutcome>> Once() =>
            ManifestDecision.DecideAsync(view, Blob(name), prepared, needs, tags, condition, Stop);
    }

    private PreparedImage Prepared(Manifest manifest, string name, ImageState state) =>
        new(shared.Node.ImageRows, shared.Node.Services.GetRequiredService<Content>(), Web, D(name), manifest, state);

    // The generation of a new row is random.
    private static string[] TextsOf(PreparedImage prepared, Decision<ManifestOutcome> decision) =>
        [.. Texts(decision.Changes).Select(t => t.Replace(prepared.Generation, "NEW", StringComparison.Ordinal))];

    // The rows, with others in place of those of the same key. One without values only takes away.
    private static TableRow[] Over(TableRow[] rows, TableRow[] others) =>
        [.. rows.ExceptBy(others.Select(o => o.Key), row => row.Key), .. others.Where(o => o.Values.Any())];

    private static TableRow Without(TableRow row) => new(row.Key);
}
