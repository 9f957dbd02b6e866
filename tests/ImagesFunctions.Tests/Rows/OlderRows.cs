using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Rows;

/// <summary>
/// Two neighbouring versions run on one store. So a column that a row may be without reads as if it said the usual, a column that
/// is not known is no trouble, and what stands in a column is written as it always was.
/// </summary>
public sealed class OlderRows
{
    private static readonly Digest One = Digest.Sha256([1]);
    private static readonly Digest Two = Digest.Sha256([2]);
    private static readonly DateTimeOffset At = DateTimeOffset.UnixEpoch;

    // A row with all its columns; those without which it cannot be read; and what its other columns say where they are missing.
    private static readonly (
        string Kind,
        TableRow Row,
        string Demanded,
        string Usual,
        Func<TableRow, object> From
    )[] s_kinds =
    [
        (
            "blob",
            new BlobRow("web", One, 7, "\"1\"", BlobState.Deleting, new TarFacts("a", "b")) { Pushed = true }.ToRow(),
            "app digest blob_etag",
            "Size=0 State=Good Tar=null Pushed=False",
            BlobRow.From
        ),
        (
            "tag",
            new TagRow("web", "latest", One, "g", FromLayout: true)
            {
                Pushed = new TagPush(At, Author.OfToken("1f0c3a5e")),
            }.ToRow(),
            "app tag digest",
            "Generation=null FromLayout=False",
            TagRow.From
        ),
        (
            "need",
            new DependencyRow("web", One, Dependent.Layout, "type") { Deleted = true }.ToRow(),
            "app needed by",
            "ManifestType=null Deleted=False",
            DependencyRow.From
        ),
        ("boot", new BootRow("web", One, Two, "latest").ToRow(), "app digest image tag", "", BootRow.From),
        (
            "referrer",
            new ReferrerRow("web", One, Two, "type", 7, "artifact", new Dictionary<string, string>()).ToRow(),
            "app subject digest media_type",
            "Size=0 ArtifactType=null Annotations=null",
            ReferrerRow.From
        ),
        (
            "refusal",
            new RefusedRow("path", "why", "actual", IsFailure: true, At, At).ToRow(),
            "path reason",
            "ActualDigest=null IsFailure=False At=0001-01-01T00:00:00 Expires=0001-01-01T00:00:00",
            RefusedRow.From
        ),
        (
            "upload",
            new UploadRow("web", new string('0', 32), "sha256", [new UploadPart("a", 1)], At).ToRow(),
            "app algorithm",
            "Offset=0 Updated=0001-01-01T00:00:00",
            UploadRow.From
        ),
        (
            "image",
            new ImageRow("web", One)
            {
                MediaType = MediaTypes.OciIndex,
                Size = 7,
                IsImage = true,
                Generation = "g",
                State = ImageState.Hidden,
                Subject = Two,
                NotImage = "why",
                LeftOut = "what",
                Committed = At,
                PushedBy = Author.OfToken("1f0c3a5e"),
                Pin = new ImagePin(At, TimeSpan.FromHours(1)),
                Stored = new StoredManifest("\"1\"", 7),
                IsTruncated = true,
            }.ToRow(),
            "app digest media_type generation facts0",
            "Size=0 IsImage=False State=Complete Subject=null NotImage=null LeftOut=null Committed=null PushedBy=null Pin=null Stored=null IsTruncated=False",
            ImageRow.From
        ),
    ];

    public static TheoryData<string> Kinds => [.. s_kinds.Select(kind => kind.Kind)];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_row_without_a_column_reads_as_before_there_was_one(string kind)
    {
        var (_, row, demanded, usual, from) = s_kinds.Single(k => k.Kind == kind);
        var columns = row.Values.Select(v => v.Key).ToList();
        Assert.Subset(columns.ToHashSet(), demanded.Split(' ').ToHashSet());
        // No column is demanded but those that were from the beginning: every later one is missing somewhere.
        foreach (var column in columns)
        {
            var older = Without(row, column);
            if (demanded.Split(' ').Contains(column))
            {
                Assert.ThrowsAny<Exception>(() => from(older));
            }
            else
            {
                from(older);
            }
        }

        var oldest = from(Without(row, [.. columns.Except(demanded.Split(' '))]));
        foreach (var said in usual.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(u => u.Split('=')))
        {
            var value = oldest.GetType().GetProperty(said[0])!.GetValue(oldest);
            Assert.Equal(said[1], value is DateTimeOffset time ? $"{time:s}" : $"{value ?? "null"}");
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_column_of_a_newer_version_is_no_trouble(string kind)
    {
        var (_, row, _, _, from) = s_kinds.Single(k => k.Kind == kind);
        var newer = Without(row, "none");
        newer["of_a_newer_version"] = 7L;
        Assert.Equivalent(from(row), from(newer), strict: true);
    }

    [Theory]
    [InlineData("blob", "app blob_etag digest pushed size state tar tar_cmdline tar_only_file")]
    [InlineData("tag", "app digest generation pushed_at pushed_by source tag")]
    [InlineData("need", "app by deleted manifest_type needed")]
    [InlineData("boot", "app digest image tag")]
    [InlineData("referrer", "annotations0 app artifact_type digest media_type size subject")]
    [InlineData("refusal", "actual_digest at expires path reason state")]
    [InlineData("upload", "algorithm app parts0 updated")]
    [InlineData(
        "image",
        "app blob_etag blob_size committed digest facts0 generation image left_out media_type not_image pin_autokill pinned pushed_by schema size state subject truncated"
    )]
    public void Columns_keep_their_names(string kind, string columns) =>
        Assert.Equal(
            columns.Split(' '),
            s_kinds.Single(k => k.Kind == kind).Row.Values.Select(v => v.Key).Order(StringComparer.Ordinal)
        );

    [Fact]
    public void States_keep_the_words_that_stand_in_rows()
    {
        Assert.Equal(
            [null, "bad", "deleting"],
            ((BlobState[])[BlobState.Good, SomeRows.Invalid, BlobState.Deleting]).Select(state =>
                SomeRows.Blob("blob", state).ToRow().GetString("state")
            )
        );
        Assert.Equal(
            ["complete", "hidden", "waiting", "deleted"],
            Enum.GetValues<ImageState>().Select(state => SomeRows.Image("image", state).ToRow().GetString("state"))
        );
        Assert.Equal(
            ["layout", "push"],
            new[] { true, false }.Select(l => SomeRows.Tag("latest", "image", "g", l).ToRow().GetString("source"))
        );
        Assert.Equal(
            ["failed", "refused"],
            new[] { true, false }.Select(f => new RefusedRow("", "", null, f, At, At).ToRow().GetString("state"))
        );
        Assert.Equal("tag:latest", Dependent.Tag("latest").Text);
        Assert.Equal("index.json", Dependent.Layout.Text);
    }

    [Fact]
    public void Facts_of_an_earlier_version_have_neither_components_nor_platforms_and_those_of_a_newer_have_more()
    {
        const string earlier = """
            {"args":["a"],"env":["B=c"],"labels":{"d":"e"},"initrd":true,"rom":false,"kernel_args":"f","created":null,
             "children":["g"],"parts":{"h":1}}
            """;
        var row = LongFacts.Read(earlier, SomeRows.Image("image"));
        Assert.Equal(["a", "B=c", "f"], [.. row.Facts.Args, .. row.Facts.Env, row.Facts.KernelArgs]);
        Assert.Equal(["g"], row.Children);
        Assert.Equal(1, row.BlobSizes["h"]);
        Assert.Empty(row.Facts.Components);
        Assert.Empty(row.Facts.Platforms);

        var newer = "{\"of_a_newer_version\":{\"x\":[1]}," + earlier[1..];
        Assert.Equal(LongFacts.Write(row), LongFacts.Write(LongFacts.Read(newer, SomeRows.Image("image"))));
    }

    [Fact]
    public void The_bytes_of_a_session_stand_in_a_column_that_may_be_missing()
    {
        byte[] bytes = [1, 2];
        var session = new UploadRow("web", new string('0', 32), "sha256", [new UploadPart("a", 2)], At);
        var row = (session with { Inline = bytes }).ToRow();
        Assert.Equal(bytes, row.GetBytes("inline"));
        Assert.Equal(bytes, UploadRow.From(row).Inline!.Value.ToArray());
        Assert.Null(UploadRow.From(Without(row, "inline")).Inline);
    }

    [Fact]
    public void A_row_of_a_newer_schema_is_not_guessed_at()
    {
        var row = SomeRows.Image("image").ToRow();
        row["schema"] = ImageRow.Schema + 1;
        Assert.Throws<InvalidOperationException>(() => ImageRow.From(row));
        Assert.Throws<InvalidOperationException>(() => ImageHead.From(row));
        Assert.Throws<InvalidOperationException>(() => ImageRow.Live(row));
    }

    private static TableRow Without(TableRow row, params string[] columns)
    {
        var rest = new TableRow(row.Key);
        foreach (var (name, value) in row.Values.Where(v => !columns.Contains(v.Key)))
        {
            rest[name] = value;
        }

        return rest;
    }
}
