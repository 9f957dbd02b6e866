using Azure.Data.Tables;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Listing;

namespace ImagesFunctions.Tests.Faults;

/// <summary>What must always hold of a namespace, whatever has happened to those who wrote it (see the design's list).</summary>
internal static class Invariants
{
    public static async Task HoldAsync(Node node, string @namespace)
    {
        var rows = await CompleteAsync(node, @namespace);
        await TheLogTellsTheRowsAsync(node, @namespace, rows);
        await TheListIsOfTheRowsAsync(node, @namespace, rows);
    }

    /// <summary>Of a table that was made anew: its log does not begin with the first commit.</summary>
    public static async Task HoldSinceRebuildAsync(Node node, string @namespace) =>
        await TheListIsOfTheRowsAsync(node, @namespace, await CompleteAsync(node, @namespace));

    /// <summary>Without a look at the log, which may be trimmed. Returns the rows.</summary>
    public static async Task<NamespaceRows> CompleteAsync(Node node, string @namespace)
    {
        var rows = await node.RowStore.NamespaceAsync(@namespace, null, TestContext.Current.CancellationToken);
        foreach (var image in rows.Images.Values.Where(i => i.State == ImageState.Complete))
        {
            await IsCompleteAsync(node, @namespace, image);
        }

        return rows;
    }

    /// <summary>After every event was delivered: no half-made removal, no tag that waits for an image that is there.</summary>
    public static async Task SettledAsync(Node node, string @namespace)
    {
        await HoldAsync(node, @namespace);
        var rows = await node.RowStore.NamespaceAsync(@namespace, null, TestContext.Current.CancellationToken);
        var there = rows
            .Images.Values.Where(i => i.State is ImageState.Complete or ImageState.Hidden)
            .Select(i => (i.App, i.Digest))
            .ToHashSet();
        Assert.DoesNotContain(rows.Tags.Values, t => t.Generation is null && there.Contains((t.App, t.Digest)));
        var paths = await node.PathsAsync();
        var blobs = await node.RowStore.RangeAsync(@namespace, Keys.All('b'), TestContext.Current.CancellationToken);
        // Killed between the bytes and the row, the row is left to the sweeper: it counts for nothing. Where others, which are bad, took
        // the place of bytes, the row says that those were removed.
        foreach (var blob in blobs.Select(BlobRow.From).Where(b => b.IsBeingRemoved))
        {
            Assert.DoesNotContain($"{@namespace}/{blob.App}/{Layout.PathOf(blob.Digest.ToString())}", paths);
        }
    }

    // 1 and 2: every part is there, and its bytes hash to its digest.
    private static async Task IsCompleteAsync(Node node, string @namespace, ImageRow image)
    {
        var repository = Node.Repository($"{@namespace}/{image.App}");
        var bytes = await VerifiedAsync(node, repository, image.Digest);
        var manifest = Manifest.Parse(bytes, image.MediaType);
        foreach (var blob in manifest.NeededBlobs)
        {
            await VerifiedAsync(node, repository, blob.Digest);
        }

        // What tells that they are needed is there as long as the image.
        foreach (var needed in manifest.NeededBlobs.Concat(manifest.NeededManifests))
        {
            var needs = await node.RowStore.DependentsAsync(
                repository,
                needed.Digest,
                TestContext.Current.CancellationToken
            );
            Assert.Contains(needs, n => n.By.Digest == image.Digest);
        }

        foreach (var child in manifest.NeededManifests)
        {
            var row = await node.RowStore.ImageAsync(repository, child.Digest, TestContext.Current.CancellationToken);
            Assert.Equal(ImageState.Complete, row?.State);
        }
    }

    private static async Task<byte[]> VerifiedAsync(Node node, Repository repository, Digest digest)
    {
        var row = await node.RowStore.BlobAsync(
            new BlobPath(repository, digest),
            TestContext.Current.CancellationToken
        );
        Assert.NotNull(row);
        Assert.Equal(BlobState.Good, row.State);
        var blob = await node
            .Storage.Images.GetBlobClient(new BlobPath(repository, digest).ToString())
            .DownloadContentAsync(TestContext.Current.CancellationToken);
        Assert.Equal(row.BlobETag, blob.Value.Details.ETag.ToString());
        var bytes = blob.Value.Content.ToArray();
        Assert.Equal(row.Size, bytes.Length);
        Assert.Equal(digest.ToString(), Layout.DigestOf(bytes, digest.Algorithm));
        return bytes;
    }

    // The log has no gap, and replayed from its beginning it makes exactly the rows.
    private static async Task TheLogTellsTheRowsAsync(Node node, string @namespace, NamespaceRows rows)
    {
        var version = await node.Storage.ImageRows.VersionAsync(@namespace, TestContext.Current.CancellationToken);
        var log = new List<JournalEntry>();
        for (var from = 1L; from <= version.Seq; from += JournalReads.MaxEntries)
        {
            var to = Math.Min(version.Seq, from + JournalReads.MaxEntries - 1);
            log.AddRange(
                await node.Storage.ImageRows.EntriesAsync(@namespace, from, to, TestContext.Current.CancellationToken)
            );
        }

        Assert.Equal(version.Seq, log.Count);
        var replayed = new NamespaceRows();
        foreach (var (key, row) in log.SelectMany(e => e.Rows!).Where(r => RowScope.Of(app: null).Contains(r.Key)))
        {
            replayed.Apply(key, row);
        }

        Assert.Equal(Texts(rows), Texts(replayed));
    }

    // What this process has kept and brought up to date is what the rows say.
    private static async Task TheListIsOfTheRowsAsync(Node node, string @namespace, NamespaceRows rows)
    {
        await rows.LoadChildrenAsync(node.ImageRows, @namespace, TestContext.Current.CancellationToken);
        Assert.Equal(
            rows.Listed().Select(i => string.Join(' ', [$"{i.Row.App}@{i.Row.Digest}", .. i.Tags])),
            await node.ListedAsync(@namespace)
        );
    }

    private static IEnumerable<string> Texts(NamespaceRows rows) =>
        rows.Images.Values.Select(i => i.ToRow()).Concat(rows.Tags.Values.Select(t => t.ToRow())).Select(Text);

    private static string Text(TableRow row) =>
        string.Join(
            ", ",
            row.Values.Append(new("key", row.Key))
                .OrderBy(p => p.Key, StringComparer.Ordinal)
                .Select(p => $"{p.Key}={p.Value}")
        );
}
