using Azure;
using Azure.Data.Tables;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>A sweep by a program that is older than the rows it meets.</summary>
public sealed class NewerSchema
{
    private const string Namespace = "alice";
    private const string Repo = "alice/web";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_sweep_that_meets_an_image_of_a_newer_schema_deletes_nothing()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var layout = Layout.Small("stays", "latest");
        layout.Add(Layout.OciTar, "of nobody"u8.ToArray());
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        var key = Keys.Image("web", Node.Digest(layout.FirstImage));
        TableEntity row = await node.Storage.ImageTable.GetEntityAsync<TableEntity>(
            Namespace,
            key,
            cancellationToken: Stop
        );
        row["schema"] = ImageRow.Schema + 1;
        row["state"] = "archived";
        await node.Storage.ImageTable.UpdateEntityAsync(row, ETag.All, TableUpdateMode.Replace, Stop);
        var (rows, paths) = (await node.RowsAsync(Namespace), await node.PathsAsync());

        var result = await node.SweepYoungAsync();

        Assert.Equal((1, 1), (result.Counts.Count, result[SweepKind.Failed]));
        Assert.Equal(rows, await node.RowsAsync(Namespace));
        Assert.Equal(paths, await node.PathsAsync());
    }
}
