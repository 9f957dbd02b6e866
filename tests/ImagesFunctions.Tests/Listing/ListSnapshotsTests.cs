using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using Azure;
using Azure.Storage.Blobs;
using ImagesFunctions.Images;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Listing;

public sealed class ListSnapshotsTests
{
    private const string Path = "alice/list/5";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_new_process_makes_a_long_list_from_its_snapshot_and_the_log()
    {
        await using var node = await SeededAsync();
        await SaveAsync(node);
        await TagAsync(node, "newer");
        await using var other = new Node(node.Connection);

        var before = other.Calls.Count;
        var listed = await other.ListedAsync("alice");
        var calls = other.Calls.Count - before;

        // The number, the snapshot, the commit that it is of, and the commit since.
        Assert.Equal(4, calls);
        await node.Storage.Derived.DeleteBlobAsync(Path, cancellationToken: Stop);
        await using var scanning = new Node(node.Connection);
        Assert.Equal(await scanning.ListedAsync("alice"), listed);
        Assert.Contains(listed, l => l.Contains(" newer ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_list_made_from_a_snapshot_answers_with_the_same_bytes_and_hash()
    {
        await using var node = await SeededAsync();
        await SaveAsync(node);
        await using var other = new Node(node.Connection);

        var scanned = await node.Lists.CurrentAsync("alice", null, Stop);
        var loaded = await other.Lists.CurrentAsync("alice", null, Stop);

        Assert.Equal(scanned.Sum(Keys.All('i'), tagged: false), loaded.Sum(Keys.All('i'), tagged: false));
        Assert.Equal(scanned.Count, loaded.Count);
    }

    [Fact]
    public async Task A_snapshot_keeps_all_that_rows_say_but_facts()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var (one, two) = (Digest.Sha256([1]), Digest.Sha256([2]));
        var texts = new ImageTexts([1, 2], [3]);
        (ImageRow, ImageTexts?)[] images =
        [
            (Row(one) with { Subject = two, Generation = "g", Size = long.MaxValue }, texts),
            (Row(two) with { Children = [one.ToString(), two.ToString()], State = ImageState.Deleted }, null),
            (Row(two) with { FactsBlob = "alice/web/facts", State = ImageState.Hidden, IsImage = false }, null),
        ];
        TagRow[] tags = [new("web", "v1", one, null, FromLayout: true), new("web/ä", "v2", two, "", FromLayout: false)];
        var snapshots = new ListSnapshots(node.Storage);

        await snapshots.SaveAsync("alice", new ListSnapshot(7, "op", images, tags), Stop);
        var loaded = await snapshots.LoadAsync("alice", Stop);

        Assert.Equal(7, await snapshots.SeqAsync("alice", Stop));
        Assert.Equal((7L, "op"), (loaded!.Seq, loaded.Operation));
        Assert.Equivalent(images.Select(i => i.Item1), loaded.Images.Select(i => i.Row), strict: true);
        Assert.Equal([1, 2], loaded.Images[0].Texts!.V1);
        Assert.Equal([3], loaded.Images[0].Texts!.Platform);
        Assert.All(loaded.Images.Skip(1), i => Assert.Null(i.Texts));
        Assert.Equal(tags, loaded.Tags);
        Assert.Equal(0, await snapshots.SeqAsync("bob", Stop));
        Assert.Null(await snapshots.LoadAsync("bob", Stop));
    }

    [Theory]
    [InlineData("another history")]
    [InlineData("garbage")]
    [InlineData("half")]
    [InlineData("nothing")]
    [InlineData("a changed byte")]
    [InlineData("of the format before")]
    [InlineData("a count of more than memory holds")]
    [InlineData("a negative count")]
    public async Task A_snapshot_that_is_not_of_this_namespace_or_broken_is_none(string what)
    {
        await using var node = await SeededAsync();
        await SaveAsync(node);
        var blob = node.Storage.Derived.GetBlobClient(Path);
        var bytes = (await blob.DownloadContentAsync(Stop)).Value.Content.ToArray();
        await BreakAsync(node, blob, bytes, what);
        await using var other = new Node(node.Connection);

        Assert.Equal(what == "another history" ? 599 : 600, (await other.ListedAsync("alice")).Length);
    }

    [Fact]
    public async Task Whichever_byte_of_a_snapshot_changes_and_wherever_it_ends_it_is_none()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var one = Node.Digest(Layout.DigestOf([1]));
        var snapshots = new ListSnapshots(node.Storage);
        await snapshots.SaveAsync("alice", new ListSnapshot(7, "op", [(Row(one), null)], []), Stop);
        var blob = node.Storage.Derived.GetBlobClient(Path);
        var bytes = (await blob.DownloadContentAsync(Stop)).Value.Content.ToArray();

        for (var at = 0; at < bytes.Length; at++)
        {
            byte[] changed = [.. bytes[..at], (byte)(bytes[at] ^ (1 << (at % 8))), .. bytes[(at + 1)..]];
            await blob.UploadAsync(BinaryData.FromBytes(at % 3 == 0 ? bytes[..at] : changed), overwrite: true, Stop);
            Assert.Null(await snapshots.LoadAsync("alice", Stop));
        }

        await blob.UploadAsync(BinaryData.FromBytes(bytes), overwrite: true, Stop);
        await Until.TrueAsync(
            async () => await snapshots.LoadAsync("alice", Stop) is { Seq: 7 },
            () => Task.FromResult("It was never good.")
        );
    }

    [Theory]
    [InlineData("ServerBusy", 503)]
    [InlineData("ContainerNotFound", 404)]
    [InlineData("AuthorizationPermissionMismatch", 403)]
    [InlineData("BlobArchived", 409)]
    public async Task A_snapshot_that_storage_does_not_give_is_none(string code, int status)
    {
        await using var node = await SeededAsync();
        await SaveAsync(node);
        using var says = new StorageSays(node.Connection);
        says.Say = request => says.IsBlob(request, "derived") ? new((HttpStatusCode)status, code) : null;
        await using var other = new Node(AzureLimits.AccountOver(node.Connection, says));

        Assert.Equal(600, (await other.ListedAsync("alice")).Length);
    }

    [Fact]
    public async Task A_snapshot_that_storage_does_not_give_soon_is_none()
    {
        await using var node = await SeededAsync();
        await SaveAsync(node);
        using var says = new StorageSays(node.Connection);
        says.Hold = request => says.IsBlob(request, "derived");
        var times = new StorageTimes { Optional = TimeSpan.FromMilliseconds(100) };
        await using var other = new Node(AzureLimits.AccountOver(node.Connection, says, times));

        var listed = other.ListedAsync("alice");
        await Deadline.OfAsync(listed, "a list without its snapshot");
        Assert.Equal(600, (await listed).Length);
        Assert.NotEqual(0, says.Held);
    }

    [Fact]
    public async Task A_snapshot_that_is_too_old_for_the_log_is_replaced_after_the_scan()
    {
        await using var node = await SeededAsync();
        await SaveAsync(node);
        await TagAsync(node, "a");
        await TagAsync(node, "b");
        await node.Storage.ImageTable.DeleteEntityAsync("alice", JournalKeys.Entry(2), ETag.All, Stop);
        await using var other = new Node(node.Connection);

        Assert.Equal(600, (await other.ListedAsync("alice")).Length);

        await Until.TrueAsync(
            async () => await new ListSnapshots(node.Storage).SeqAsync("alice", Stop) == 3,
            () => Task.FromResult("no new snapshot")
        );
    }

    [Fact]
    public async Task The_log_is_not_trimmed_past_the_snapshot()
    {
        await using var node = await SeededAsync();
        await TagAsync(node, "a");
        await SaveAsync(node);
        await TagAsync(node, "b");

        var result = await node.SweepAsync(TimeSpan.FromHours(2));

        Assert.Equal(1, result[SweepKind.LogEntries]);
        Assert.NotNull(await node.RowStore.OperationAsync("alice", 2, Stop));
        await node.Storage.Derived.DeleteBlobAsync(Path, cancellationToken: Stop);
        Assert.Equal(2, (await node.SweepAsync(TimeSpan.FromHours(2)))[SweepKind.LogEntries]);
    }

    private static async Task BreakAsync(Node node, BlobClient blob, byte[] bytes, string what)
    {
        switch (what)
        {
            case "another history":
                var entry = JournalEntry.Of(1, [], Keys.IsInFull).ToRow().ToEntity("alice");
                entry["rescan"] = true;
                await node.Storage.ImageTable.UpsertEntityAsync(entry, cancellationToken: Stop);
                // One image less than the snapshot has.
                var row = await node.Storage.ImageRows.GetAsync("alice", AnImage().Key, Stop);
                await node.Storage.ImageTable.DeleteEntityAsync("alice", row!.Key, ETag.All, Stop);
                break;
            case "garbage":
                await blob.UploadAsync(new BinaryData("no snapshot at all"u8.ToArray()), overwrite: true, Stop);
                break;
            case "half":
                await blob.UploadAsync(new BinaryData(bytes[..(bytes.Length / 2)]), overwrite: true, Stop);
                break;
            case "a changed byte":
                bytes[^9] ^= 1;
                await blob.UploadAsync(new BinaryData(bytes), overwrite: true, Stop);
                break;
            case "of the format before":
                await blob.UploadAsync(new BinaryData(bytes[32..]), overwrite: true, Stop);
                break;
            case "a count of more than memory holds":
                await blob.UploadAsync(new BinaryData(WithCount(int.MaxValue)), overwrite: true, Stop);
                break;
            case "a negative count":
                await blob.UploadAsync(new BinaryData(WithCount(-1)), overwrite: true, Stop);
                break;
            default:
                await blob.UploadAsync(new BinaryData([]), overwrite: true, Stop);
                break;
        }
    }

    // Whole by its checksum, as of a program that writes it wrongly.
    private static byte[] WithCount(int count)
    {
        using var compressed = new MemoryStream();
        using (var writer = new BinaryWriter(new BrotliStream(compressed, CompressionLevel.Fastest, leaveOpen: true)))
        {
            writer.Write(1L);
            writer.Write("op");
            writer.Write(count);
        }

        return [.. SHA256.HashData(compressed.ToArray()), .. compressed.ToArray()];
    }

    private static ImageRow AnImage() => Seeds.Images(1, 1).First();

    private static ImageRow Row(Digest digest) =>
        new("web", digest)
        {
            MediaType = MediaTypes.OciManifest,
            Size = 1,
            IsImage = true,
            Generation = "",
        };

    private static async Task<Node> SeededAsync()
    {
        var node = new Node(await Storages.NewWithTablesAsync());
        await Seeds.WriteAsync(node.Storage.ImageTable, "alice", Seeds.Images(600, 100), imagesPerTag: 1, Stop);
        return node;
    }

    // Lists once, and waits for the snapshot of it.
    private static async Task SaveAsync(Node node)
    {
        await using var lister = new Node(node.Connection);
        await lister.ListedAsync("alice");
        await Until.TrueAsync(
            async () =>
                await new ListSnapshots(node.Storage).SeqAsync("alice", Stop)
                == (await node.RowStore.VersionAsync("alice", Stop)).Seq,
            () => Task.FromResult("no snapshot")
        );
    }

    private static async Task TagAsync(Node node, string tag) =>
        Assert.True(
            await node.Tagging.SetAsync(Node.Repository($"alice/{AnImage().App}"), tag, AnImage().Digest, Stop)
        );
}
