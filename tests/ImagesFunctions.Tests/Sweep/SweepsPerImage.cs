using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Infra;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>
/// How many rows an image has, and how many requests a sweep takes more for it where there is nothing to do. docs/operate.md and
/// docs/scale.md compute with both.
/// </summary>
public sealed class SweepsPerImage
{
    // A page of rows, and one of blobs.
    private const double RowsAPage = 1_000;
    private const double BlobsAPage = 5_000;

    // Of the average image: its manifest, its config and two layers.
    private const double Blobs = 4;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Are_what_the_documents_say()
    {
        const int more = 10;
        var (few, many) = (await SweptAsync(images: 5), await SweptAsync(images: 5 + more));

        var rows = (many.Rows - few.Rows) / (double)more;
        var read = (many.Entities - few.Entities) / (double)more;
        var listed = Blobs * 1_000 / BlobsAPage;
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{rows} rows an image, {read} read; {few.Requests} and {many.Requests} requests"
        );
        // No request is about one image: they are read by pages.
        Assert.InRange(many.Requests - few.Requests, -2, 2);
        Assert.InRange(rows, 8, 12);
        Assert.Contains("about ten an image", Repo.Read("docs/scale.md"), StringComparison.Ordinal);
        var said = int.Parse(
            Regex.Match(Repo.Read("docs/operate.md"), @"about (\d+) more for each 1,000 images").Groups[1].Value
        );
        Assert.InRange((read * 1_000 / RowsAPage) + listed, said * 2 / 3.0, said);
    }

    private static async Task<(int Rows, int Entities, int Requests)> SweptAsync(int images)
    {
        var connection = await Storages.NewWithTablesAsync();
        using var meter = new StorageMeter(AzureLimits.TablePortOf(connection));
        await using var node = new Node(AzureLimits.AccountOver(connection, meter));
        await node.PutAsync("alice/web", Many(images));
        await node.StartAsync();
        // What is there is looked at, and the log of it goes.
        for (var hours = 2; hours <= 4; hours++)
        {
            await node.SweepAsync(TimeSpan.FromHours(hours));
        }

        meter.Reset();
        var result = await node.Sweeper.RunAsync(
            "alice",
            new SweepOptions { Later = TimeSpan.FromHours(6) },
            dryRun: false,
            Stop
        );
        var (tables, entities, blobs) = meter.Counts;
        Assert.Empty(result.Counts);
        return ((await node.RowsAsync("alice")).Count, entities, tables + blobs);
    }

    private static Layout Many(int images)
    {
        var layout = new Layout();
        var manifests = Enumerable
            .Range(0, images)
            .Select(i =>
                Layout.Tagged(
                    layout.AddManifest(
                        layout.Add(Layout.OciConfig, new JsonObject { ["author"] = $"{i}" }),
                        layout.Add(Layout.OciTar, Layout.Tar("bin/program", $"{i}")),
                        layout.Add(Layout.OciTar, Layout.Tar("bin/library", $"{i}"))
                    ),
                    $"v{i}"
                )
            )
            .ToArray();
        return layout.Index(manifests);
    }
}
