using System.Diagnostics;
using System.Net;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Stress;

/// <summary>
/// A client that pushes as clients do: it asks for each blob, brings what is missing in one of many ways, then the manifest;
/// and where that is refused because something is not there any more, or nobody answers, it begins again.
/// </summary>
/// <param name="fleet">Whom to ask.</param>
/// <param name="goods">What to push.</param>
/// <param name="ledger">Who writes down what was acknowledged.</param>
/// <param name="tally">Counts.</param>
/// <param name="repositories">Where to push, and from where to mount.</param>
/// <param name="promise">For how long what is there, because it was said to be, has to stay. Zero: nothing has to.</param>
/// <param name="unsteady">Repositories whose blobs are overwritten by others: an image may be away for a moment.</param>
internal sealed class Pusher(
    Fleet fleet,
    Goods goods,
    Ledger ledger,
    Tally tally,
    string[] repositories,
    TimeSpan promise,
    IReadOnlySet<string> unsteady
)
{
    // Alone it takes less than a second.
    private static readonly TimeSpan s_longest = TimeSpan.FromMinutes(3);

    private static readonly string?[] s_tags = [null, "latest", "v1", "v2"];

    // When somebody was last told that it is there.
    private readonly Dictionary<(string Repository, string Digest), long> _told = [];

    /// <summary>Pushes anything anywhere, until it is acknowledged, and pulls it back.</summary>
    public async Task PushAsync()
    {
        var repository = Pick(repositories);
        var item = Pick([.. goods.Items]);
        var tag = Pick(s_tags);
        _told.Clear();
        await ledger.AddAsync(
            repository,
            item,
            tag,
            async () =>
            {
                var clock = Stopwatch.StartNew();
                using var longest = Deadline.In(s_longest);
                while (!await TryAsync(repository, item, tag))
                {
                    tally.Add("pushes again");
                    if (longest.HasPassed)
                    {
                        Assert.Fail($"{item} was pushed to {repository} in vain. {tally}\n{fleet.Said}");
                    }
                }

                tally.Most("ms for a push", (int)clock.ElapsedMilliseconds);
                tally.Add("pushes");
                if (!unsteady.Contains(repository))
                {
                    await new Puller(fleet, goods).PullAsync(repository, tag ?? item, item);
                }
            }
        );
    }

    // False: it has to be begun again.
    private async Task<bool> TryAsync(string repository, string manifest, string? tag)
    {
        if (!await NeededAsync(repository, manifest))
        {
            return false;
        }

        var reference =
            tag is null ? manifest
            : Random.Shared.Next(4) == 0 ? $"{manifest}?tag={tag}"
            : tag;
        var reply = await fleet.TryAsync(
            "PUT",
            $"/v2/{repository}/manifests/{reference}",
            goods[manifest],
            headers: ("Content-Type", goods.TypeOf(manifest))
        );
        if (reply is { Status: HttpStatusCode.Created })
        {
            Told(repository, manifest);
            return true;
        }

        if (reply is not null)
        {
            Assert.True(reply.Code == "MANIFEST_BLOB_UNKNOWN", $"{repository} {manifest}: {reply.Status} {reply.Text}");
            tally.Add("MANIFEST_BLOB_UNKNOWN");
            foreach (var missing in reply.Json["errors"]![0]!["detail"]!.GetValue<string>().Split(", "))
            {
                MayBeGone(repository, missing);
            }
        }

        return false;
    }

    // Whether all that a manifest names is there, or was brought.
    private async Task<bool> NeededAsync(string repository, string manifest)
    {
        foreach (var child in goods.ChildrenOf(manifest))
        {
            if (
                await HasAsync(repository, "manifests", child) is not { } has
                || (!has && !await TryAsync(repository, child, null))
            )
            {
                return false;
            }
        }

        var blobs = goods.BlobsOf(manifest).ToArray();
        Random.Shared.Shuffle(blobs);
        foreach (var blob in blobs)
        {
            if (
                await HasAsync(repository, "blobs", blob) is not { } has
                || (!has && !await BringAsync(repository, blob))
            )
            {
                return false;
            }
        }

        return true;
    }

    // Null: nobody has said.
    private async Task<bool?> HasAsync(string repository, string kind, string digest)
    {
        // Some clients do not ask.
        if (Random.Shared.Next(8) == 0)
        {
            return false;
        }

        if (await fleet.TryAsync("HEAD", $"/v2/{repository}/{kind}/{digest}") is not { } reply)
        {
            return null;
        }

        if (reply.Status == HttpStatusCode.OK)
        {
            Told(repository, digest);
            return true;
        }

        Assert.True(reply.Status == HttpStatusCode.NotFound, $"{reply.Status} {reply.Text}");
        MayBeGone(repository, digest);
        return false;
    }

    private async Task<bool> BringAsync(string repository, string blob)
    {
        var bytes = goods[blob];
        var uploads = $"/v2/{repository}/blobs/uploads/";
        // The session of a client that is gone.
        if (Random.Shared.Next(16) == 0 && await BeginAsync(uploads) is { } left)
        {
            await fleet.TryAsync("PATCH", left, bytes[..(bytes.Length / 2)]);
            tally.Add("sessions left");
        }

        var way = Random.Shared.Next(5);
        if (way == 0)
        {
            return IsThere(
                repository,
                blob,
                await fleet.TryAsync("POST", $"{uploads}?digest={blob}", bytes, Random.Shared.Next(2) == 0)
            );
        }

        string? location;
        if (way == 1)
        {
            var mount = await fleet.TryAsync("POST", $"{uploads}?mount={blob}&from={Pick(repositories)}");
            if (mount is null or { Status: HttpStatusCode.Created })
            {
                tally.Add(mount is null ? "mounts cut" : "mounts");
                return IsThere(repository, blob, mount);
            }

            location = mount["Location"];
        }
        else
        {
            location = await BeginAsync(uploads);
        }

        return location is not null
            && (
                way == 2
                    ? IsThere(repository, blob, await fleet.TryAsync("PUT", $"{location}?digest={blob}", bytes))
                    : await BringInChunksAsync(repository, blob, location)
            );
    }

    private async Task<string?> BeginAsync(string uploads)
    {
        var begun = await fleet.TryAsync("POST", uploads);
        Assert.True(begun is null or { Status: HttpStatusCode.Accepted }, begun?.Text);
        return begun?["Location"];
    }

    // Where a connection is cut, another server tells how far it is.
    private async Task<bool> BringInChunksAsync(string repository, string blob, string location)
    {
        var bytes = goods[blob];
        var at = 0;
        for (var requests = 0; requests < 20; requests++)
        {
            var end = Math.Min(bytes.Length, at + (bytes.Length / 3) + 1);
            if (at == bytes.Length)
            {
                var done = await fleet.TryAsync("PUT", $"{location}?digest={blob}");
                if (done is not null)
                {
                    return IsThere(repository, blob, done);
                }
            }
            else if (
                await fleet.TryAsync("PATCH", location, bytes[at..end], headers: RegistryClient.Range(at, end - at)) is
                { Status: HttpStatusCode.Accepted }
            )
            {
                at = end;
                continue;
            }

            var progress = await fleet.SendAsync("GET", location);
            if (progress.Status == HttpStatusCode.NotFound)
            {
                // It was ended by a request that nobody has answered, or swept.
                return false;
            }

            Assert.True(progress.Status == HttpStatusCode.NoContent, progress.Text);
            tally.Add("sessions taken up again");
            at = int.Parse(progress["Range"]!.Split('-')[1], System.Globalization.CultureInfo.InvariantCulture);
            at = at == 0 ? 0 : at + 1;
        }

        return false;
    }

    private bool IsThere(string repository, string digest, Reply? reply)
    {
        if (reply is null)
        {
            return false;
        }

        if (reply.Status == HttpStatusCode.Created)
        {
            Told(repository, digest);
            return true;
        }

        // Its session was ended by a request that nobody has answered, or swept.
        Assert.True(reply.Status == HttpStatusCode.NotFound && reply.Code == "BLOB_UPLOAD_UNKNOWN", reply.Text);
        return false;
    }

    private void Told(string repository, string digest) => _told[(repository, digest)] = Stopwatch.GetTimestamp();

    private void MayBeGone(string repository, string digest)
    {
        if (_told.Remove((repository, digest), out var at))
        {
            var since = Stopwatch.GetElapsedTime(at);
            Assert.True(
                since >= promise,
                $"{digest} is not in {repository}, {since.TotalSeconds:0.0} s after it was said to be.\n{fleet.Said}"
            );
            tally.Add("gone in spite of a HEAD or 201");
        }
    }

    public static T Pick<T>(IReadOnlyList<T> some) => some[Random.Shared.Next(some.Count)];
}
