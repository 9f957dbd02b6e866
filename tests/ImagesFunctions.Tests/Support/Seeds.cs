using Azure.Data.Tables;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;

namespace ImagesFunctions.Tests.Support;

/// <summary>Namespaces of any size, written directly as the rows that pushes would leave, for tests and benchmarks.</summary>
internal static class Seeds
{
    /// <summary>Images as pushes make them: with facts and two parts.</summary>
    /// <param name="count">How many there are altogether.</param>
    /// <param name="perApp">How many of them each app has; apps are <c>app-00000</c> and so on.</param>
    public static IEnumerable<ImageRow> Images(int count, int perApp) =>
        Enumerable
            .Range(0, count)
            .Select(i => new ImageRow(App(i / perApp), Digest.Sha256(BitConverter.GetBytes(i)))
            {
                MediaType = MediaTypes.OciManifest,
                Size = 12_345_678,
                IsImage = true,
                Generation = Digest.Sha256(BitConverter.GetBytes(-1 - i)).Encoded[..16],
                BlobSizes = new Dictionary<string, long>(StringComparer.Ordinal)
                {
                    [$"{Digest.Sha256([1, .. BitConverter.GetBytes(i)])}"] = 1_234,
                    [$"{Digest.Sha256([2, .. BitConverter.GetBytes(i)])}"] = 12_344_444,
                },
                Facts = new ImageFacts
                {
                    Args = ["/usr/bin/server", "--port", "8080"],
                    Env = ["PATH=/usr/bin:/bin", "MODE=production"],
                    Labels = new Dictionary<string, string>(StringComparer.Ordinal) { ["version"] = $"1.{i}" },
                    Initrd = true,
                    KernelArgs = "",
                    Created = "2026-01-02T03:04:05Z",
                },
            });

    /// <summary>The name of the nth app.</summary>
    public static string App(int number) => $"app-{number:D5}";

    /// <summary>The tag of the nth image, counted over all apps.</summary>
    public static string Tag(int image) => $"v{image}";

    /// <summary>Writes the rows of images and of tags, and the namespace's number last.</summary>
    /// <param name="table">The table, in which this namespace has no rows yet.</param>
    /// <param name="namespace">The namespace.</param>
    /// <param name="images">The images.</param>
    /// <param name="imagesPerTag">One in so many has a tag, the first one too.</param>
    /// <param name="cancellationToken">Ends it, wherever it is.</param>
    public static async Task WriteAsync(
        TableClient table,
        string @namespace,
        IEnumerable<ImageRow> images,
        int imagesPerTag,
        CancellationToken cancellationToken
    )
    {
        await WriteAsync(table, images.SelectMany(Rows), cancellationToken);
        // As if one commit had written them all, in a log entry that is too long for its rows.
        var entry = JournalEntry.Of(1, [], Keys.IsInFull).ToRow().ToEntity(@namespace);
        entry["rescan"] = true;
        var version = new TableEntity(@namespace, JournalKeys.Version) { ["seq"] = 1L };
        await WriteAsync(table, [entry, version], cancellationToken);

        IEnumerable<TableEntity> Rows(ImageRow image, int number)
        {
            yield return image.ToRow().ToEntity(@namespace);
            if (number % imagesPerTag == 0)
            {
                var tag = new TagRow(image.App, Tag(number), image.Digest, image.Generation, FromLayout: false);
                yield return tag.ToRow().ToEntity(@namespace);
            }
        }
    }

    /// <summary>The row as the Azure SDK writes it.</summary>
    public static TableEntity ToEntity(this TableRow row, string @namespace) => StoredTable.Entity(@namespace, row);

    /// <summary>Adds rows of one namespace, a hundred at once; none of them may be there.</summary>
    public static async Task WriteAsync(
        TableClient table,
        IEnumerable<TableEntity> rows,
        CancellationToken cancellationToken
    )
    {
        foreach (var some in rows.Chunk(100))
        {
            await table.SubmitTransactionAsync(
                some.Select(row => new TableTransactionAction(TableTransactionActionType.Add, row)),
                cancellationToken
            );
        }
    }
}
