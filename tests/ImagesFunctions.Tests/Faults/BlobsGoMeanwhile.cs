using ImagesFunctions.Oci;

namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// A blob is taken in and removed by others while a process takes it in: no row of that process says of bytes that are gone that
/// they are there, not even until it looks again.
/// </summary>
public sealed class BlobsGoMeanwhile
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Before_any_call_of_an_event_no_image_is_listed_without_its_layer()
    {
        await using var others = new Node(await Storages.NewWithTablesAsync());
        var removed = 0;
        for (var (call, calls) = (1, 1); call <= calls; call++)
        {
            var repository = $"alice/web{call}";
            var layout = Layout.Small($"meanwhile {call}", "v1");
            await others.PutAsync(repository, layout, layout.FirstLayer);
            await using var node = new Node(others.Connection);
            var count = node.Calls.Before;
            node.Calls.Before = async (number, message) =>
            {
                await count(number, message);
                if (number == call)
                {
                    removed += await TakeInAndRemoveAsync(others, repository, layout) ? 1 : 0;
                }
                else if (number > call)
                {
                    // Whoever trusts a row of the layer now completes the image.
                    await others.LandAsync([$"{repository}/{Layout.PathOf(layout.FirstImage)}"]);
                    await Invariants.CompleteAsync(others, "alice");
                }
            };

            await node.LandAsync([$"{repository}/{layout.FirstLayer}"]);

            calls = node.Calls.Count;
            if (call > calls)
            {
                break;
            }

            Assert.Empty(await others.ListedAsync("alice"));
            await others.PutAsync(repository, layout, layout.FirstLayer);
            await others.LandAsync([$"{repository}/{layout.FirstLayer}"]);
            Assert.Equal([$"web{call}@{layout.FirstImage} v1"], await others.ListedAsync("alice"));
            Assert.True(
                (
                    await others.Removal.ImageAsync(Node.Repository(repository), Node.Digest(layout.FirstImage), Stop)
                ).Found
            );
        }

        Assert.True(removed > 2);
    }

    // The rest of the image comes when its layer is gone.
    private static async Task<bool> TakeInAndRemoveAsync(Node others, string repository, Layout layout)
    {
        var layer = $"{repository}/{layout.FirstLayer}";
        await others.LandAsync([layer]);
        var digest = layout.Read(layout.Manifests[0])["layers"]![0]!.AsObject();
        var path = new BlobPath(Node.Repository(repository), Node.Digest(Layout.Digest(digest)));
        var isRemoved = (await others.Removal.BlobAsync(path, Stop)).Found;
        string[] rest = [.. layout.Files.Keys.Where(p => p != layout.FirstLayer)];
        await others.PutAsync(repository, layout, rest);
        await others.LandAsync(rest.Select(p => $"{repository}/{p}"));
        return isRemoved;
    }
}
