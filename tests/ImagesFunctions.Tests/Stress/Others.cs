using System.Net;
using Azure;
using Azure.Storage.Blobs;
using Azure.Storage.Blobs.Models;

namespace ImagesFunctions.Tests.Stress;

/// <summary>Removes what others have brought: images and tags by both APIs, and blobs.</summary>
internal sealed class Deleter(Fleet fleet, Goods goods, Ledger ledger, Tally tally, bool partsToo)
{
    private const int Few = 3;

    public async Task DeleteAsync()
    {
        var items = ledger.Items.Keys.ToArray();
        var tags = ledger.Tags.Keys.ToArray();
        switch (Random.Shared.Next(partsToo ? 4 : 2))
        {
            case 0 when items.Length > Few:
                var (repository, digest) = Pusher.Pick(items);
                await ledger.RemoveItemAsync(
                    repository,
                    digest,
                    () =>
                        DeleteAsync($"/v2/{repository}/manifests/{digest}", $"/v1/images/digest/{repository}@{digest}")
                );
                tally.Add("images deleted");
                break;
            case 1 when tags.Length > Few:
                var (where, tag) = Pusher.Pick(tags);
                await ledger.RemoveTagAsync(
                    where,
                    tag,
                    () => DeleteAsync($"/v2/{where}/manifests/{tag}", $"/v1/images/tag/{where}:{tag}")
                );
                tally.Add("tags deleted");
                break;
            // Nobody takes turns here: it is refused while an image needs it, and else gone.
            case 2 when items.Length > 0:
                await DeletePartAsync($"/v2/{Pusher.Pick(items).Repository}/blobs/{Pusher.Pick([.. goods.Blobs])}");
                break;
            case 3 when items.Length > 0:
                await DeletePartAsync(
                    $"/v2/{Pusher.Pick(items).Repository}/manifests/{Pusher.Pick([.. goods.Children])}"
                );
                break;
        }
    }

    // By one of the APIs, again until somebody answers.
    private async Task DeleteAsync(params string[] paths)
    {
        var path = Pusher.Pick(paths);
        var reply = await fleet.SendAsync("DELETE", path);
        Assert.True(
            reply.Status is HttpStatusCode.Accepted or HttpStatusCode.OK or HttpStatusCode.NotFound,
            $"{path}: {reply.Status} {reply.Text}"
        );
    }

    private async Task DeletePartAsync(string path)
    {
        if (await fleet.TryAsync("DELETE", path) is { } reply)
        {
            Assert.True(
                reply.Status is HttpStatusCode.Accepted or HttpStatusCode.NotFound or HttpStatusCode.MethodNotAllowed,
                $"{path}: {reply.Status} {reply.Text}"
            );
            tally.Add($"parts: {reply.Status}");
        }
    }
}

/// <summary>
/// Puts image layouts straight into the container, one image at a time, and waits until it is there. The layout that stands in
/// a repository is his alone; its blobs are everybody's.
/// </summary>
/// <param name="container">The container.</param>
/// <param name="fleet">Whom to ask whether it is there.</param>
/// <param name="goods">What to drop.</param>
/// <param name="ledger">Who writes down what is there.</param>
/// <param name="tally">Counts.</param>
/// <param name="repository">Where to.</param>
/// <param name="overwrites">Whether blobs are written that are there already, which takes them away for a moment.</param>
internal sealed class Dropper(
    BlobContainerClient container,
    Fleet fleet,
    Goods goods,
    Ledger ledger,
    Tally tally,
    string repository,
    bool overwrites
)
{
    public const string Tag = "dropped";

    private const int MaxTries = 60;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(4);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async Task DropAsync()
    {
        var item = Pusher.Pick([.. goods.Items]);
        if (Random.Shared.Next(4) == 0)
        {
            // Nobody ever says that these are of an image.
            await PutAsync(Pusher.Pick([.. goods.Blobs]), overwrites);
        }

        await ledger.AddAsync(
            repository,
            item,
            Tag,
            async () =>
            {
                ledger.Dropped[repository] = item;
                for (var attempt = 1; ; attempt++)
                {
                    var layout = new Layout().Index(goods.Descriptor(item, Tag));
                    foreach (var (path, bytes) in layout.Files)
                    {
                        await PutAsync(path, bytes, overwrite: true);
                    }

                    foreach (var path in goods.Layout.Needs(item))
                    {
                        await PutAsync(path, goods.Layout.Files[path], overwrites);
                    }

                    if (await IsThereAsync(item))
                    {
                        tally.Add("drops");
                        return;
                    }

                    tally.Add("drops again");
                    Assert.True(attempt < MaxTries, $"{item} was dropped into {repository} in vain.\n{fleet.Said}");
                }
            }
        );
    }

    private async Task<bool> IsThereAsync(string item)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(100));
        for (var waited = TimeSpan.Zero; waited < s_patience; waited += pace.Period)
        {
            var reply = await fleet.SendAsync("HEAD", $"/v2/{repository}/manifests/{Tag}");
            if (reply["Docker-Content-Digest"] == item)
            {
                return true;
            }

            await pace.WaitForNextTickAsync(Stop);
        }

        return false;
    }

    private Task PutAsync(string digest, bool overwrite) => PutAsync(Layout.PathOf(digest), goods[digest], overwrite);

    private async Task PutAsync(string path, byte[] bytes, bool overwrite)
    {
        try
        {
            await container
                .GetBlobClient($"{repository}/{path}")
                .UploadAsync(
                    BinaryData.FromBytes(bytes),
                    new BlobUploadOptions
                    {
                        Conditions = overwrite ? null : new BlobRequestConditions { IfNoneMatch = ETag.All },
                    },
                    Stop
                );
        }
        catch (RequestFailedException error) when (error.Status is 409 or 412)
        {
            // It is there.
        }
    }
}
