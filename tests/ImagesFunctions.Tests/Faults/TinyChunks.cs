using System.Security.Cryptography;

namespace ImagesFunctions.Tests.Faults;

/// <summary>A session of very many short chunks: none of them waits for what all before it have left.</summary>
public sealed class TinyChunks
{
    // The row, and of 16 parts a copy and a removal each, and the new part; a SAS needs no request.
    private const int MaxCalls = 2 + 16 + 16;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1, 120)]
    [InlineData(70_000, 60)]
    public async Task No_chunk_takes_many_requests_and_the_session_stays_short(int length, int chunks)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var uploadParts = new UploadParts(node.Storage);
        var sessions = new UploadSessions(node.Storage, uploadParts, node.RowStore.Due);
        var repository = Node.Repository("alice/web");
        var bytes = RandomNumberGenerator.GetBytes(length * chunks);
        var begun = await sessions.BeginAsync(repository, "sha256", Stop);
        var session = (await sessions.FindAsync(repository, begun.Id, Stop))!;
        var most = 0;
        for (var i = 0; i < chunks; i++)
        {
            var part = await StoreAsync(uploadParts, session, bytes.AsMemory(i * length, length));
            var before = node.Calls.Count;
            session = Assert.IsType<UploadRow>(await sessions.AppendAsync(repository, session, part, null, Stop));
            most = Math.Max(most, node.Calls.Count - before);
        }

        Assert.InRange(most, 1, MaxCalls);
        Assert.InRange(session.Parts.Count, 1, 3 * 16);
        Assert.Equal(bytes.Length, session.Offset);
        using var hash = await uploadParts.HashAsync(repository, session.Id, session.Parts, "sha256", Stop);
        Assert.Equal(Layout.DigestOf(bytes), hash!.Digest.ToString());
        var stored = await new StoredBlobs(node.Storage.Uploads)
            .ListAsync("alice/", uncommitted: true, Stop)
            .CountAsync(Stop);
        Assert.Equal(session.Parts.Count, stored);
    }

    private static async Task<UploadPart> StoreAsync(
        UploadParts uploadParts,
        UploadRow session,
        ReadOnlyMemory<byte> chunk
    )
    {
        using var body = await UploadBody.BeginAsync(new MemoryStream(chunk.ToArray()), chunk.Length, Stop);
        using var hash = new ContentHash("sha256");
        var part = await uploadParts.WriteAsync(Node.Repository("alice/web"), session.Id, body, hash, () => true, Stop);
        return Assert.IsType<UploadPart>(part);
    }
}
