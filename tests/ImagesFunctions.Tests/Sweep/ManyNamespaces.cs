using System.Collections.Concurrent;
using Azure.Data.Tables;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>
/// Many namespaces of the same few images, which nobody has to sweep: one is dropped, and the others are made from its rows. So nothing
/// is noted of them.
/// </summary>
internal static class ManyNamespaces
{
    private const string First = "n000";
    private const int AtOnce = 8;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Makes them, and forgets all notes.</summary>
    /// <returns>Their names.</returns>
    public static async Task<string[]> SeedAsync(Node node, int count)
    {
        var layout = new Layout();
        var (one, two) = (layout.AddImage("one"), layout.AddImage("two"));
        layout.Index(Layout.Tagged(one, "one"), Layout.Tagged(two, "two"));
        await node.PutAsync($"{First}/web", layout);
        await node.StartAsync();
        var rows = new List<TableEntity>();
        await foreach (
            var row in node.Storage.ImageTable.QueryAsync<TableEntity>(
                r => r.PartitionKey == First,
                cancellationToken: Stop
            )
        )
        {
            if (!Keys.All('c').Contains(row.RowKey))
            {
                rows.Add(row);
            }
        }

        string[] names = [.. Enumerable.Range(0, count).Select(i => $"n{i:d3}")];
        await Parallel.ForEachAsync(
            names.Skip(1),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = Stop },
            async (name, _) => await CopyAsync(node, name, layout, rows)
        );
        await ForgetNotesAsync(node);
        return names;
    }

    /// <summary>Removes all notes, and with them the place of the walk: as if the version before had written everything.</summary>
    public static async Task ForgetNotesAsync(Node node)
    {
        foreach (var key in await node.RowsAsync(Keys.DuePartition))
        {
            await node.Storage.ImageTable.DeleteEntityAsync(Keys.DuePartition, key, cancellationToken: Stop);
        }
    }

    /// <summary>Counts from now on how often a node sweeps each namespace: a sweep begins with the rows of images.</summary>
    public static ConcurrentDictionary<string, int> CountSweeps(Node node)
    {
        var sweeps = new ConcurrentDictionary<string, int>(StringComparer.Ordinal);
        node.Calls.Before = (_, message) =>
        {
            var query = Uri.UnescapeDataString(message.Request.Uri.ToUri().Query).Replace('+', ' ');
            var end = query.IndexOf("' and RowKey ge 'i!'", StringComparison.Ordinal);
            // The query of a list reads them from end to end; a sweep reads some columns.
            if (end > 0 && query.Contains("$select=", StringComparison.Ordinal))
            {
                sweeps.AddOrUpdate(query[(query.LastIndexOf('\'', end - 1) + 1)..end], 1, (_, before) => before + 1);
            }

            return ValueTask.CompletedTask;
        };
        return sweeps;
    }

    private static async Task CopyAsync(Node node, string name, Layout layout, List<TableEntity> rows)
    {
        var etags = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (path, bytes) in layout.Files)
        {
            var stored = await node
                .Storage.Images.GetBlobClient($"{name}/web/{path}")
                .UploadAsync(BinaryData.FromBytes(bytes), overwrite: true, Stop);
            etags[path] = stored.Value.ETag.ToString();
        }

        var actions = rows.Select(row =>
        {
            var copy = new TableEntity(
                row.Where(v => v.Key is not ("odata.etag" or "Timestamp")).ToDictionary(StringComparer.Ordinal)
            )
            {
                PartitionKey = name,
            };
            if (row.ContainsKey("blob_etag"))
            {
                copy["blob_etag"] = etags[Layout.PathOf(row.GetString("digest"))];
            }
            else if (row.ContainsKey("etag"))
            {
                copy["etag"] = etags["index.json"];
            }

            return new TableTransactionAction(TableTransactionActionType.Add, copy);
        });
        await node.Storage.ImageTable.SubmitTransactionAsync(actions, Stop);
    }
}
