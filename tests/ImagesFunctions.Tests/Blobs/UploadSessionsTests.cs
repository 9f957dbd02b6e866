using System.Text;
using ImagesFunctions.Blobs;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Blobs;

/// <summary>Sessions that any number of clients and processes move, each by comparing versions.</summary>
public sealed class UploadSessionsTests : IAsyncLifetime
{
    private static readonly Repository s_repository = SomeRows.Web;

    private Node _node = null!;
    private UploadParts _parts = null!;
    private UploadSessions _sessions = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _node = new Node(await Storages.NewWithTablesAsync());
        _parts = new UploadParts(_node.Storage);
        _sessions = new UploadSessions(_node.Storage, _parts, _node.RowStore.Due);
    }

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task A_session_is_found_by_its_id_in_its_repository_alone()
    {
        var session = await _sessions.BeginAsync(s_repository, "sha512", Stop);
        var found = await FindAsync(session.Id);
        Assert.Equal(("web", session.Id, "sha512", 0L), (found!.App, found.Id, found.Algorithm, found.Offset));

        Assert.Null(await _sessions.FindAsync(Node.Repository("alice/other"), session.Id, Stop));
        Assert.Null(await _sessions.FindAsync(Node.Repository("bob/web"), session.Id, Stop));
        Assert.Null(await FindAsync(UploadSessions.NewSession()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0123456789abcdef0123456789abcde")]
    [InlineData("0123456789abcdef0123456789abcdef0")]
    [InlineData("0123456789ABCDEF0123456789ABCDEF")]
    [InlineData("0123456789abcdef0123456789abcde/")]
    [InlineData("../456789abcdef0123456789abcdef00")]
    public async Task What_is_no_id_finds_nothing_and_asks_nobody(string id)
    {
        var before = _node.Calls.Count;
        Assert.Null(await FindAsync(id));
        Assert.Equal(before, _node.Calls.Count);
    }

    [Fact]
    public async Task Parts_count_in_the_order_in_which_they_were_added_and_hash_to_the_whole()
    {
        var session = await _sessions.BeginAsync(s_repository, "sha256", Stop);
        foreach (var text in (string[])["one ", "two ", "three"])
        {
            session = await AppendAsync(session, text);
        }

        Assert.Equal(session.Parts, (await FindAsync(session.Id))!.Parts);
        Assert.Equal(13, session.Offset);
        using var hash = await HashAsync(session);
        Assert.Equal((Digest.Sha256("one two three"u8), 13), (hash!.Digest, (int)hash.Size));
        Assert.Equal(3, (await StagedAsync()).Count);
    }

    [Fact]
    public async Task What_is_not_accepted_or_empty_is_no_part()
    {
        var session = await _sessions.BeginAsync(s_repository, "sha256", Stop);
        using var hash = new ContentHash("sha256");
        using var body = await UploadBody.BeginAsync(new MemoryStream("no"u8.ToArray()), 2, Stop);
        Assert.Null(await _parts.WriteAsync(s_repository, session.Id, body, hash, () => false, Stop));
        Assert.Empty(await StagedAsync());
    }

    [Fact]
    public async Task Of_two_that_add_at_the_same_place_one_is_added_and_the_part_of_the_other_is_still_there()
    {
        var session = await NowAsync(await _sessions.BeginAsync(s_repository, "sha256", Stop));
        var moved = await AppendAsync(session, "first");
        var late = await WriteAsync(session, "late");

        Assert.Null(await _sessions.AppendAsync(s_repository, session, late, inline: null, Stop));

        var now = await NowAsync(session);
        Assert.Equal(moved.Parts, now.Parts);
        // Who was late only because it did not know of the first may add it after that.
        Assert.Equal(
            [.. moved.Parts, late],
            (await _sessions.AppendAsync(s_repository, now, late, inline: null, Stop))!.Parts
        );
        using var hash = await HashAsync(await NowAsync(session));
        Assert.Equal(Digest.Sha256("firstlate"u8), hash!.Digest);
    }

    [Fact]
    public async Task Who_adds_to_a_session_that_has_ended_adds_nothing_and_removes_its_part()
    {
        var session = await AppendAsync(await _sessions.BeginAsync(s_repository, "sha256", Stop), "first");
        Assert.True(await _sessions.EndAsync(s_repository, session, Stop));
        var late = await WriteAsync(session, "late");

        Assert.Null(await _sessions.AppendAsync(s_repository, session, late, inline: null, Stop));

        Assert.Null(await FindAsync(session.Id));
        Assert.Single(await StagedAsync());
        await _parts.RemoveAsync(s_repository, session.Id, [late]);
        Assert.Empty(await StagedAsync());
    }

    [Fact]
    public async Task Of_two_that_end_a_session_one_is_told_that_there_is_none()
    {
        var session = await AppendAsync(await _sessions.BeginAsync(s_repository, "sha256", Stop), "first");
        Assert.True(await _sessions.EndAsync(s_repository, session, Stop));
        Assert.False(await _sessions.EndAsync(s_repository, session, Stop));
        Assert.Null(await FindAsync(session.Id));
        Assert.Empty(await StagedAsync());
    }

    [Fact]
    public async Task An_end_whose_answer_is_lost_is_known_again()
    {
        var session = await AppendAsync(await _sessions.BeginAsync(s_repository, "sha256", Stop), "first");
        var next = _node.Calls.Count + 1;
        _node.Calls.LoseAnswerOf(call => call == next);

        Assert.True(await _sessions.EndAsync(s_repository, session, Stop));

        Assert.Null(await FindAsync(session.Id));
        Assert.Empty(await StagedAsync());
    }

    [Fact]
    public async Task An_addition_whose_answer_is_lost_is_known_again()
    {
        var session = await _sessions.BeginAsync(s_repository, "sha256", Stop);
        var (now, part) = (await NowAsync(session), await WriteAsync(session, "first"));
        var next = _node.Calls.Count + 1;
        _node.Calls.LoseAnswerOf(call => call == next);

        var moved = await _sessions.AppendAsync(s_repository, now, part, inline: null, Stop);

        Assert.Equal([part], moved!.Parts);
        Assert.Equal([PathOf(moved, 0)], await StagedAsync());
        // It goes on from there.
        Assert.Equal(11, (await AppendAsync(moved, "second")).Offset);
    }

    [Fact]
    public async Task A_session_that_misses_a_part_hashes_to_nothing()
    {
        var session = await AppendAsync(await _sessions.BeginAsync(s_repository, "sha256", Stop), "first");
        await _parts.RemoveAsync(s_repository, session.Id, session.Parts);
        Assert.Null(await HashAsync(session));
        // To remove what is gone is no error.
        await _parts.RemoveAsync(s_repository, session.Id, session.Parts);
    }

    [Fact]
    public async Task Parts_become_one_blob_where_none_is_and_nothing_where_one_is()
    {
        var session = await _sessions.BeginAsync(s_repository, "sha256", Stop);
        session = await AppendAsync(await AppendAsync(session, "one "), "two");

        var (to, elsewhere) = (PathOf("to"), PathOf("elsewhere"));
        var etag = await CopyAsync(session, to);

        var blob = _node.Storage.Images.GetBlobClient(to.ToString());
        var stored = (await blob.DownloadContentAsync(Stop)).Value;
        Assert.Equal((etag, "one two"), (stored.Details.ETag.ToString(), stored.Content.ToString()));
        Assert.Null(await CopyAsync(session, to));
        await _parts.RemoveAsync(s_repository, session.Id, session.Parts);
        await Assert.ThrowsAsync<CopySourceGoneException>(() => CopyAsync(session, elsewhere));
        Assert.False(await _node.Storage.Images.GetBlobClient(elsewhere.ToString()).ExistsAsync(Stop));
    }

    [Fact]
    public async Task Of_many_short_parts_16_are_put_together_and_long_ones_before_them_stay()
    {
        // As a client leaves a session that sends a long chunk and then 14 tiny ones: one of them stored, for all of them.
        var session = await _sessions.BeginAsync(s_repository, "sha256", Stop);
        var tiny = await WriteAsync(session, "x");
        var before = new UploadPart("0123456789ab", BlobWriter.BlockSize);
        session = await PutAsync(session with { Parts = [before, .. Enumerable.Repeat(tiny, 14)] });
        session = await AppendAsync(session, "y");
        Assert.Equal(16, session.Parts.Count);

        session = await AppendAsync(session, "z");

        Assert.Equal(2, session.Parts.Count);
        Assert.Equal((before, 16), (session.Parts[0], (int)session.Parts[1].Size));
        Assert.Equal([PathOf(session, 1)], await StagedAsync());
        var merged = await _node.Storage.Uploads.GetBlobClient(PathOf(session, 1)).DownloadContentAsync(Stop);
        Assert.Equal(new string('x', 14) + "yz", merged.Value.Content.ToString());
        Assert.Equal(session.Parts, (await FindAsync(session.Id))!.Parts);
    }

    [Fact]
    public async Task A_short_first_part_stands_in_the_row_and_becomes_a_blob_with_the_next()
    {
        var session = await NowAsync(await _sessions.BeginAsync(s_repository, "sha256", Stop));
        using var body = await UploadBody.BeginAsync(new MemoryStream("one "u8.ToArray()), 4, Stop);
        var part = UploadParts.Inline(session, body)!;

        session = (await _sessions.AppendAsync(s_repository, session, part, body.First.ToArray(), Stop))!;

        Assert.Empty(await StagedAsync());
        Assert.Equal("one "u8.ToArray(), (await FindAsync(session.Id))!.Inline!.Value.ToArray());
        Assert.Null(UploadParts.Inline(session, body));

        session = await AppendAsync(session, "two");

        Assert.Null((await FindAsync(session.Id))!.Inline);
        Assert.Equal(2, (await StagedAsync()).Count);
        using var hash = await HashAsync(session);
        Assert.Equal(Digest.Sha256("one two"u8), hash!.Digest);
    }

    private static BlobPath PathOf(string name) => new(s_repository, SomeRows.D(name));

    private Task<UploadRow?> FindAsync(string id) => _sessions.FindAsync(s_repository, id, Stop);

    private async Task<UploadRow> NowAsync(UploadRow session) => (await FindAsync(session.Id))!;

    private async Task<UploadRow> AppendAsync(UploadRow session, string text) =>
        await _sessions.AppendAsync(
            s_repository,
            await NowAsync(session),
            await WriteAsync(session, text),
            inline: null,
            Stop
        ) ?? throw new InvalidOperationException("somebody else moved it");

    private async Task<UploadPart> WriteAsync(UploadRow session, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        using var hash = new ContentHash("sha256");
        using var body = await UploadBody.BeginAsync(new MemoryStream(bytes), bytes.Length, Stop);
        return (await _parts.WriteAsync(s_repository, session.Id, body, hash, () => true, Stop))!;
    }

    private async Task<UploadRow> PutAsync(UploadRow session)
    {
        var change = new Change(session.Key, session.ToRow());
        Assert.True((await _node.Storage.ImageRows.PutAsync("alice", change, Stop)).IsDone);
        return await NowAsync(session);
    }

    private Task<ContentHash?> HashAsync(UploadRow session) =>
        _parts.HashAsync(s_repository, session.Id, session.Parts, "sha256", Stop);

    private Task<string?> CopyAsync(UploadRow session, BlobPath path) =>
        _parts.CopyAsync(s_repository, session.Id, session.Parts, path, Stop);

    private static string PathOf(UploadRow session, int part) =>
        UploadRow.PathOf("alice", session.Id, session.Parts[part]);

    private async Task<List<string>> StagedAsync()
    {
        var paths = new List<string>();
        await foreach (var blob in _node.Storage.Uploads.GetBlobsAsync(cancellationToken: Stop))
        {
            paths.Add(blob.Name);
        }

        return paths;
    }
}
