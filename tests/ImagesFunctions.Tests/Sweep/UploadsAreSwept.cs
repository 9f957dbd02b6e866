using Azure.Data.Tables;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Tests.Faults;
using Microsoft.Extensions.Logging.Abstractions;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>Which upload sessions a sweep ends, and what it removes of them.</summary>
public sealed class UploadsAreSwept
{
    private const string Namespace = "alice";

    private static readonly TimeSpan TwoDays = TimeSpan.FromDays(2);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_session_ends_a_day_after_its_last_chunk_with_all_that_is_staged()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var old = await SessionAsync(node);
        var young = await SessionAsync(node);

        Assert.Empty((await node.SweepAsync(TimeSpan.FromHours(23))).Counts);
        var last = (await node.RowStore.GetAsync(Namespace, $"u!{young}", Stop))!.Timestamp!.Value;
        // The younger one lives for one more moment.
        var result = await SweepAsync(node, last.AddDays(1).AddTicks(-1));

        Assert.Equal((1, 3), (result[SweepKind.Sessions], result[SweepKind.Uploads]));
        Assert.Equal([$"u!{young}"], await node.RowsAsync(Namespace));
        Assert.Equal(
            [$"{Namespace}/{young}", $"{Namespace}/{young}/0", $"{Namespace}/{young}/1"],
            await StagedAsync(node)
        );
        Assert.DoesNotContain(old, string.Concat(await StagedAsync(node)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_staged_without_a_session_goes_after_a_day()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var id = await SessionAsync(node);
        await node.Storage.ImageTable.DeleteEntityAsync(Namespace, $"u!{id}", cancellationToken: Stop);

        Assert.Empty((await node.SweepAsync(TimeSpan.FromHours(23))).Counts);
        Assert.Equal(3, (await node.SweepAsync(TwoDays))[SweepKind.Uploads]);
        Assert.Empty(await StagedAsync(node));
    }

    [Fact]
    public async Task A_session_that_gets_a_chunk_meanwhile_goes_on()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await using var writer = new Node(node.Connection);
        var id = await SessionAsync(node);
        node.Calls.Before = async (_, message) =>
        {
            if (message.Request.Method == Azure.Core.RequestMethod.Delete)
            {
                node.Calls.Before = (_, _) => ValueTask.CompletedTask;
                var row = new TableEntity(Namespace, $"u!{id}")
                {
                    ["app"] = "web",
                    ["updated"] = DateTimeOffset.UtcNow + TwoDays,
                };
                await writer.Storage.ImageTable.UpsertEntityAsync(row, TableUpdateMode.Replace, Stop);
            }
        };

        Assert.Empty((await node.SweepAsync(TwoDays)).Counts);
        Assert.Equal([$"u!{id}"], await node.RowsAsync(Namespace));
        Assert.Equal(3, (await StagedAsync(node)).Count);
    }

    private static async Task<SweepResult> SweepAsync(Node node, DateTimeOffset now)
    {
        var counts = new SweepCounts();
        var age = new SweepAge(now, new SweepOptions());
        var run = new SweepRun(node.Storage, node.Ingest, age, counts, NullLogger.Instance, Namespace, dryRun: false);
        await new UploadSweep(run).RunAsync(Stop);
        return counts.Result(isDryRun: false);
    }

    // A blob, one below it, and one of which blocks are staged and none is committed; then the row.
    private static async Task<string> SessionAsync(Node node)
    {
        var id = Guid.NewGuid().ToString("N");
        foreach (var path in (string[])["", "/0"])
        {
            await node
                .Storage.Uploads.GetBlobClient($"{Namespace}/{id}{path}")
                .UploadAsync(BinaryData.FromString("staged"), Stop);
        }

        using var block = new MemoryStream("staged"u8.ToArray());
        await node
            .Storage.Uploads.GetBlockBlobClient($"{Namespace}/{id}/1")
            .StageBlockAsync("MDAwMA==", block, cancellationToken: Stop);
        // What it says of itself is by the clock of whoever wrote it, and is not believed.
        var row = new TableEntity(Namespace, $"u!{id}") { ["app"] = "web", ["updated"] = DateTimeOffset.UnixEpoch };
        await node.Storage.ImageTable.AddEntityAsync(row, Stop);
        return id;
    }

    private static async Task<List<string>> StagedAsync(Node node)
    {
        var names = new List<string>();
        await foreach (
            var blob in node.Storage.Uploads.GetBlobsAsync(
                Azure.Storage.Blobs.Models.BlobTraits.None,
                Azure.Storage.Blobs.Models.BlobStates.Uncommitted,
                null,
                Stop
            )
        )
        {
            names.Add(blob.Name);
            TestContext.Current.TestOutputHelper?.WriteLine($"{blob.Name} {blob.Properties.LastModified}");
        }

        return names;
    }
}
