using System.Text;
using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>The repository that sweeps are tried on, what is put there, and the times that go by until a sweep.</summary>
internal static class SweptRepository
{
    public const string Namespace = "alice";
    public const string Repo = "alice/web";

    public static readonly TimeSpan Soon = TimeSpan.FromMinutes(20);
    public static readonly TimeSpan TwoDays = TimeSpan.FromDays(2);
    public static readonly TimeSpan TwoMonths = TimeSpan.FromDays(60);

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Two images that share their layer.</summary>
    public static (Layout Layout, string One, string Two) Sharing()
    {
        var layout = new Layout();
        var layer = layout.Add(Layout.OciTar, "shared"u8.ToArray());
        var one = layout.AddManifest(layout.Add(Layout.OciConfig, """{"author":"1"}"""u8.ToArray()), layer);
        var two = layout.AddManifest(layout.Add(Layout.OciConfig, """{"author":"2"}"""u8.ToArray()), layer);
        layout.Index(Layout.Tagged(one, "one"), Layout.Tagged(two, "two"));
        return (layout, Layout.Digest(one), Layout.Digest(two));
    }

    public static async Task<string> BlobAsync(Node node, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        var path = $"{Repo}/{Layout.PathOf(Layout.DigestOf(bytes))}";
        await node.PutAsync(path, bytes);
        await node.LandAsync([path]);
        return Layout.DigestOf(bytes);
    }

    /// <summary>Removes the rows of removed blobs, as a sweep does a day later.</summary>
    public static async Task RowsOfRemovedGoAsync(Node node)
    {
        foreach (var row in await node.RowStore.RangeAsync(Namespace, Keys.All('b'), Stop))
        {
            if (BlobRow.From(row).IsRemoved)
            {
                await node.Storage.ImageRows.PutAsync(Namespace, new Change(row.Key, null, row.Version), Stop);
            }
        }
    }

    // Until the clock of the blobs, which has whole seconds, says that the refusal is of these bytes.
    public static Task RefusedLaterAsync(Node node, string path) =>
        Until.TrueAsync(
            async () =>
            {
                await node.LandAsync([path]);
                var row = await node.Storage.ImageRows.GetAsync(RefusedRow.PartitionOf(path), Keys.Refused(path), Stop);
                var blob = await node.Storage.Images.GetBlobClient(path).GetPropertiesAsync(cancellationToken: Stop);
                return row?.Timestamp >= blob.Value.LastModified.AddSeconds(1);
            },
            () => Task.FromResult("The refusal stays younger than a second.")
        );
}
