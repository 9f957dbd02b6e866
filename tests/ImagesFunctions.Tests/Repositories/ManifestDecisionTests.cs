using System.Text;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Oci;
using Microsoft.Extensions.DependencyInjection;
using static ImagesFunctions.Tests.Support.SomeRows;

namespace ImagesFunctions.Tests.Repositories;

/// <summary>Whether a manifest is committed, and what is written then; from the rows of its namespace.</summary>
public sealed class ManifestDecisionTests(SharedNode shared) : IClassFixture<SharedNode>
{
    private const string IndexJson = "index.json";

    // An index needs no bytes but its own, and its children's rows have their facts.
    private static readonly string s_index = Named(
        "pair",
        Manifests.IndexOf((D("one"), MediaTypes.OciManifest), (D("two"), MediaTypes.OciManifest))
    );

    private static readonly string s_signature = Named(
        "note",
        $$"""
        {"config":{{Manifests.Descriptor(D("config"), "a/b")}},"layers":[],
         "subject":{{Manifests.Descriptor(D("subject"), MediaTypes.OciManifest)}} }
        """
    );

    // The rows of what it needs, which ride with its commit.
    private static readonly string[] s_needs = ["+n!web!one!pair", "+n!web!two!pair"];

    // Everything that the index needs to be committed.
    private static readonly TableRow[] s_whole =
    [
        Blob("pair").ToRow(),
        Need("pair", IndexJson, MediaTypes.OciIndex).ToRow(),
        Image("one").ToRow(),
        Image("two").ToRow(),
        Need("one", "pair", MediaTypes.OciManifest).ToRow(),
        Need("two", "pair", MediaTypes.OciManifest).ToRow(),
    ];

    /// <summary>What is different from a whole index, and what comes of it; one thing a case.</summary>
    private static readonly Dictionary<string, (string Outcome, TableRow[] Rows, string[] Changes)> s_cases = new()
    {
        ["it is whole"] = ("Committed", [], ["+i!web!pair complete NEW", .. s_needs]),
        ["it was announced"] = (
            "Committed",
            [Image("pair", ImageState.Waiting, "g", null, "one", "two").ToRow()],
            ["+i!web!pair complete NEW", .. s_needs]
        ),
        ["it was deleted"] = (
            "Committed",
            [Image("pair", ImageState.Deleted, "g", null, "one", "two").ToRow()],
            ["+i!web!pair complete NEW", .. s_needs]
        ),
        // Its tags are those of the image that was hidden.
        ["it was hidden"] = (
            "Committed",
            [Image("pair", ImageState.Hidden, "g", null, "one", "two").ToRow(), Tag("latest", "pair").ToRow()],
            ["+i!web!pair complete g", .. s_needs]
        ),
        // Then nobody has to name it.
        ["it was hidden and is named no more"] = (
            "Committed",
            [
                Image("pair", ImageState.Hidden, "g", null, "one", "two").ToRow(),
                Without(Need("pair", IndexJson).ToRow()),
            ],
            ["+i!web!pair complete g", .. s_needs]
        ),
        ["it was committed"] = ("Already", [Image("pair", ImageState.Complete, "g", null, "one").ToRow()], []),
        ["a tag waits"] = (
            "Committed",
            [Tag("latest", "pair", null, true).ToRow(), Need("pair", "tag:latest").ToRow()],
            ["+i!web!pair complete NEW", .. s_needs, "+t!web!latest pair NEW layout", "-n!web!pair!tag:latest"]
        ),
        ["nothing names it as a manifest"] = ("Unknown", [Without(Need("pair", IndexJson).ToRow())], []),
        ["its blob is gone"] = ("Unknown", [Without(Blob("pair").ToRow())], []),
        ["its blob is invalid"] = ("Unknown", [Blob("pair", Invalid).ToRow()], []),
        ["its blob goes"] = ("Unknown", [Blob("pair", BlobState.Deleting).ToRow()], []),
        ["its blob was overwritten"] = ("Unknown", [(Blob("pair") with { BlobETag = "\"2\"" }).ToRow()], []),
        ["a child is gone"] = ("Waiting", [Without(Image("two").ToRow())], []),
        ["a child is hidden"] = ("Waiting", [Image("two", ImageState.Hidden).ToRow()], []),
        ["a child waits"] = ("Waiting", [Image("two", ImageState.Waiting).ToRow()], []),
        ["a child is deleted"] = ("Waiting", [Image("two", ImageState.Deleted).ToRow()], []),
        // Few of them ride with the commit.
        ["its needs were swept"] = (
            "Committed",
            [Without(Need("one", "pair").ToRow()), Without(Need("two", "pair").ToRow())],
            ["+i!web!pair complete NEW", .. s_needs]
        ),
    };

    // Before a test asks for their digests they have their names.
    private readonly string _index = s_index;
    private readonly string _signature = s_signature;

    public static TheoryData<string> Cases => [.. s_cases.Keys];

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task A_manifest_is_committed_when_all_that_it_needs_is_there(string @case)
    {
        var (outcome, rows, expected) = s_cases[@case];
        var decided = await DecideAsync("pair", _index, Over(s_whole, rows));
        Assert.Equal(outcome, $"{decided.Decision.Result.State}");
        Assert.Equal(expected, decided.Texts);
    }

    [Fact]
    public async Task What_refers_to_another_is_found_from_there_and_is_no_image()
    {
        TableRow[] rows =
        [
            Blob("note").ToRow(),
            Need("note", IndexJson, MediaTypes.OciManifest).ToRow(),
            Blob("config").ToRow(),
            Need("config", "note").ToRow(),
        ];
        var decided = await DecideAsync("note", _signature, rows);
        var decision = decided.Decision;
        Assert.Equal(["+i!web!note complete NEW", "+n!web!config!note", "+r!web!subject!note"], decided.Texts);
        var image = ImageRow.From(decision.Changes.Single(c => c.Key[0] == 'i').Row!);
        Assert.Equal((false, D("subject")), (image.IsImage, image.Subject));
        var referrer = ReferrerRow.From(decision.Changes.Single(c => c.Key[0] == 'r').Row!);
        Assert.Equal(("a/b", 1), (referrer.ArtifactType, (int)referrer.Size));
    }

    [Fact]
    public async Task A_pin_and_the_time_of_the_commit_outlive_that_it_was_hidden()
    {
        var pin = new ImagePin(DateTimeOffset.UnixEpoch, null);
        var hidden = Image("pair", ImageState.Hidden, "g", null, "one", "two") with
        {
            Pin = pin,
            Committed = DateTimeOffset.UnixEpoch,
        };
        var decided = await DecideAsync("pair", _index, Over(s_whole, [hidden.ToRow()]));
        var image = ImageRow.From(decided.Decision.Changes.Single(c => c.Key == hidden.Key).Row!);
        Assert.Equal((pin, DateTimeOffset.UnixEpoch), (image.Pin, image.Committed));
    }

    [Theory]
    [InlineData(200, 200)]
    [InlineData(201, 1)]
    public async Task The_commit_says_what_it_needs_from_now_on_each_or_in_short(int children, int keys)
    {
        var (names, index, rows) = Long(children);

        var decided = await DecideAsync(LongName(children), index, rows);

        Assert.Equal(ManifestState.Committed, decided.Decision.Result.State);
        var needs = decided.View.WrittenKeys.ToHashSet();
        Assert.Equal(keys, needs.Count);
        // Who decides about one of them reads one of these.
        Assert.All(names, n => Assert.True(needs.Contains("n!web!") || needs.Contains($"n!web!{D(n)}!")));
    }

    [Theory]
    [InlineData(60, "Committed", 61)]
    [InlineData(61, "Forgotten", 0)]
    public async Task More_than_60_needs_are_written_before_and_the_lowest_tells_that_all_are_there(
        int children,
        string outcome,
        int changes
    )
    {
        var (names, index, rows) = Long(children);
        var lowest = names
            .Select(n => Need(n, LongName(children)).ToRow())
            .MinBy(row => row.Key, StringComparer.Ordinal)!;

        var decided = await DecideAsync(LongName(children), index, Over(rows, [Without(lowest)]));

        Assert.Equal(outcome, $"{decided.Decision.Result.State}");
        Assert.Equal(changes, decided.Decision.Changes.Count);
    }

    [Fact]
    public async Task Everything_that_it_was_decided_by_makes_it_stale()
    {
        var view = (await DecideAsync("pair", _index, s_whole)).View;
        Assert.All(
            (TableRow[])
                [
                    Blob("pair").ToRow(),
                    Image("pair").ToRow(),
                    Image("one").ToRow(),
                    Image("two").ToRow(),
                    // A tag that begins to wait for it.
                    Need("pair", "tag:latest").ToRow(),
                ],
            row => Assert.True(view.IsTouchedBy([row.Key]), SomeRows.Text(row.Key))
        );
        Assert.False(view.IsTouchedBy([Image("other").Key, Tag("latest", "pair").Key, "n!web!"]));
    }

    [Fact]
    public async Task An_index_is_announced_once_with_what_it_names()
    {
        var prepared = new PreparedImage(
            shared.Node.ImageRows,
            shared.Node.Services.GetRequiredService<Content>(),
            new BlobPath(Web, D("pair")),
            Manifests.Parse(_index, MediaTypes.OciIndex),
            ImageState.Waiting
        );
        var view = ViewOf(Image("other").ToRow());
        var key = Image("pair").Key;
        var decision = await ManifestDecision.AddWaitingIndexAsync(view, key, prepared, Stop);
        await decision.Prepare!(Stop);
        decision = await ManifestDecision.AddWaitingIndexAsync(view, key, prepared, Stop);

        var row = ImageRow.From(Assert.Single(decision.Changes).Row!);
        Assert.True(decision.Result);
        Assert.Equal(ImageState.Waiting, row.State);
        Assert.Equal([$"{D("one")}", $"{D("two")}"], row.Children);

        foreach (var state in Enum.GetValues<ImageState>())
        {
            var known = ViewOf(Image("pair", state).ToRow());
            Assert.Empty((await ManifestDecision.AddWaitingIndexAsync(known, key, prepared, Stop)).Changes);
        }
    }

    // An index of so many children, and everything that it needs.
    private static (string[] Names, string Index, TableRow[] Rows) Long(int children)
    {
        string[] names = [.. Enumerable.Range(0, children).Select(i => $"child{i}")];
        var name = LongName(children);
        return (
            names,
            Named(name, Manifests.IndexOf([.. names.Select(n => (D(n), MediaTypes.OciManifest))])),
            [
                Blob(name).ToRow(),
                Need(name, IndexJson, MediaTypes.OciIndex).ToRow(),
                .. names.Select(n => Image(n).ToRow()),
                .. names.Select(n => Need(n, name).ToRow()),
            ]
        );
    }

    private static string LongName(int children) => $"index of {children}";

    private sealed record Decided(DecisionView View, PreparedImage? Prepared, Decision<ManifestOutcome> Decision)
    {
        // The generation of a new row is random.
        public string[] Texts =>
            [
                .. SomeRows
                    .Texts(Decision.Changes)
                    .Select(t => t.Replace(Prepared?.Generation ?? "none", "NEW", StringComparison.Ordinal)),
            ];
    }

    // As a journal does: what has to be made first is made, and then it is decided once more. The bytes are stored, in a
    // repository of their own, and have the ETag that the row says.
    private async Task<Decided> DecideAsync(string name, string manifest, TableRow[] rows)
    {
        var content = shared.Node.Services.GetRequiredService<Content>();
        var path = new BlobPath(Repository.Of($"n{Guid.NewGuid():N}", App), D(name));
        var etag = await content.CreateAsync(path, Encoding.UTF8.GetBytes(manifest), Stop);
        var view = ViewOf([.. rows.Select(row => WithETag(row, name, etag!))]);
        var step = new ManifestStep(content, shared.Node.ImageRows, path);
        var decision = await ManifestDecision.DecideAsync(view, step, Stop);
        while (decision.Prepare is { } prepare)
        {
            Assert.Empty(decision.Changes);
            await prepare(Stop);
            decision = await ManifestDecision.DecideAsync(view, step, Stop);
        }

        return new Decided(view, step.Prepared, decision);
    }

    private static TableRow WithETag(TableRow row, string name, string etag) =>
        row.Key == Blob(name).Key && row.GetString("blob_etag") == ETagOf(name)
            ? (BlobRow.From(row) with { BlobETag = etag }).ToRow()
            : row;

    // The rows, with others in place of those of the same key. One without values only takes away.
    private static TableRow[] Over(TableRow[] rows, TableRow[] others) =>
        [.. rows.ExceptBy(others.Select(o => o.Key), row => row.Key), .. others.Where(o => o.Values.Any())];

    private static TableRow Without(TableRow row) => new(row.Key);
}
