using System.Net;
using Azure.Storage.Blobs.Models;
using Azure.Storage.Blobs.Specialized;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Faults;

/// <summary>Blobs that can be read and not be removed: leased, under an immutability policy or a legal hold, with snapshots.</summary>
public sealed class FixedBlobs : HeldBlobs
{
    [Theory]
    [InlineData("LeaseIdMissing")]
    [InlineData("BlobImmutableDueToPolicy")]
    [InlineData("BlobImmutableDueToLegalHold")]
    [InlineData("PendingCopyOperation")]
    public async Task A_delete_is_refused_with_the_cause_before_anything_is_committed(string code)
    {
        var other = Layout.DigestOf([4, 5]);
        await Registry.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/?digest={other}", [4, 5]);
        var otherPath = $"{Repo}/{Layout.PathOf(other)}";
        var release = await HoldAsync(code, ManifestPath, otherPath);

        IsHeld(await Registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/{Image.FirstImage}"), code, ManifestPath);
        IsHeld(await SendV1Async("DELETE", $"/v1/images/digest/{Repo}@{Image.FirstImage}"), code, ManifestPath);
        IsHeld(await Registry.SendAsync("DELETE", $"/v2/{Repo}/blobs/{other}"), code, otherPath);
        // A tag has no bytes, and what can be read is served, pushed and mounted as ever.
        Assert.Equal(HttpStatusCode.Accepted, (await Registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/v1")).Status);
        var put = await Registry.SendAsync("PUT", $"/v2/{Repo}/manifests/v1", Manifest, Layout.OciManifest);
        Assert.Equal(HttpStatusCode.Created, put.Status);
        await IsPulledAsync();

        await release();
        var delete = await Registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/{Image.FirstImage}");
        Assert.Equal(HttpStatusCode.Accepted, delete.Status);
        Assert.Empty(await Node.ListedAsync("alice"));
        Assert.DoesNotContain(ManifestPath, await Outside.PathsAsync());
    }

    /// <summary>A policy of the container shows only when it is tried, and a lease may be taken in between.</summary>
    [Theory]
    [InlineData("LeaseIdMissing", 412)]
    [InlineData("BlobImmutableDueToPolicy", 409)]
    [InlineData("BlobImmutableDueToLegalHold", 409)]
    [InlineData("SnapshotsPresent", 409)]
    public async Task Met_after_the_commit_the_image_stays_deleted_and_its_bytes_go_later(string code, int status)
    {
        Says.Say = request =>
            request.Method == HttpMethod.Delete && Says.IsBlob(request, "images")
                ? new((HttpStatusCode)status, code)
                : null;

        var delete = await Registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/{Image.FirstImage}");

        Assert.Equal(HttpStatusCode.Accepted, delete.Status);
        // Its bytes are going, and cannot be written anew before they are gone.
        var push = await Registry.SendAsync("PUT", $"/v2/{Repo}/manifests/v1", Manifest, Layout.OciManifest);
        IsHeld(push, code, ManifestPath);
        for (var sweep = 0; sweep < 2; sweep++)
        {
            Assert.NotEqual(0, (await Node.SweepYoungAsync())[SweepKind.Left]);
            await Node.LandAsync([ManifestPath]);
            Assert.Empty(await Node.ListedAsync("alice"));
            Assert.Empty(await Outside.ListedAsync("alice"));
        }

        Assert.Contains(ManifestPath, await Outside.PathsAsync());
        // By now nothing needs its layer either.
        IsHeld(await Registry.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/?digest={Layer}", Bytes), code, LayerPath);
        Says.Say = _ => null;
        await Node.SweepAllAsync();
        Assert.Empty(await Outside.PathsAsync());
        Assert.Empty(await Outside.RowsAsync("alice"));
    }

    [Fact]
    public async Task What_a_lease_holds_the_sweeper_leaves_as_it_is()
    {
        var other = Layout.DigestOf([4, 5]);
        var path = $"{Repo}/{Layout.PathOf(other)}";
        await Registry.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/?digest={other}", [4, 5]);
        var release = await LeaseAsync(path);

        var swept = await Node.SweepYoungAsync();

        Assert.Equal((1, 0), (swept[SweepKind.Left], swept[SweepKind.Blobs]));
        Assert.Equal([4, 5], (await Registry.SendAsync("GET", $"/v2/{Repo}/blobs/{other}")).Bytes);
        await release();
        Assert.Equal(1, (await Node.SweepYoungAsync())[SweepKind.Blobs]);
        Assert.DoesNotContain(path, await Outside.PathsAsync());
        await IsPulledAsync();
    }

    [Fact]
    public async Task What_a_policy_holds_does_not_end_a_sweep_however_much_it_is()
    {
        for (byte i = 0; i < 12; i++)
        {
            await Registry.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/?digest={Layout.DigestOf([9, i])}", [9, i]);
        }

        Says.Say = request =>
            request.Method == HttpMethod.Delete && Says.IsBlob(request, "images")
                ? new(HttpStatusCode.Conflict, "BlobImmutableDueToPolicy")
                : null;

        var swept = await Node.SweepYoungAsync();

        Assert.Equal(12, swept[SweepKind.Left]);
        Assert.Equal(0, swept[SweepKind.Failed]);
        await IsPulledAsync();
    }

    [Fact]
    public async Task Snapshots_go_with_their_blob()
    {
        await Blob(ManifestPath).CreateSnapshotAsync(cancellationToken: Stop);

        var delete = await Registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/{Image.FirstImage}");

        Assert.Equal(HttpStatusCode.Accepted, delete.Status);
        var left = new List<string>();
        await foreach (
            var blob in Outside.Storage.Images.GetBlobsAsync(BlobTraits.None, BlobStates.Snapshots, ManifestPath, Stop)
        )
        {
            left.Add(blob.Name);
        }

        Assert.Empty(left);
    }

    [Fact]
    public async Task A_lease_that_is_being_broken_holds_until_it_is_broken()
    {
        var lease = Blob(ManifestPath).GetBlobLeaseClient();
        await lease.AcquireAsync(BlobLeaseClient.InfiniteLeaseDuration, cancellationToken: Stop);
        await lease.BreakAsync(TimeSpan.FromSeconds(60), cancellationToken: Stop);

        IsHeld(
            await Registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/{Image.FirstImage}"),
            "LeaseIdMissing",
            ManifestPath
        );
        await IsPulledAsync();

        await lease.BreakAsync(TimeSpan.Zero, cancellationToken: Stop);
        var delete = await Registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/{Image.FirstImage}");
        Assert.Equal(HttpStatusCode.Accepted, delete.Status);
        Assert.DoesNotContain(ManifestPath, await Outside.PathsAsync());
    }

    [Fact]
    public async Task A_lease_taken_in_the_middle_of_a_delete_and_broken_later_keeps_nothing()
    {
        var lease = Blob(ManifestPath).GetBlobLeaseClient();
        // Behind the look for a lease, and before the bytes are removed.
        var taken = new Lazy<Task>(() =>
            lease.AcquireAsync(BlobLeaseClient.InfiniteLeaseDuration, cancellationToken: Stop)
        );
        Says.Before = request =>
            request.Method == HttpMethod.Delete && Says.IsBlob(request, "images") ? taken.Value : Task.CompletedTask;

        var delete = await Registry.SendAsync("DELETE", $"/v2/{Repo}/manifests/{Image.FirstImage}");

        Assert.Equal(HttpStatusCode.Accepted, delete.Status);
        Assert.Contains(ManifestPath, await Outside.PathsAsync());
        Assert.Empty(await Node.ListedAsync("alice"));
        Assert.NotEqual(0, (await Node.SweepYoungAsync())[SweepKind.Left]);
        await lease.BreakAsync(TimeSpan.Zero, cancellationToken: Stop);
        await Node.SweepAllAsync();
        Assert.Empty(await Outside.PathsAsync());
    }

    /// <summary>A policy on the container of push sessions lets new blobs be written, and nothing be removed or written over.</summary>
    [Fact]
    public async Task A_policy_on_uploads_costs_no_push_and_ends_no_sweep()
    {
        var bytes = new byte[200_000];
        Random.Shared.NextBytes(bytes);
        var digest = Layout.DigestOf(bytes);
        Says.Say = request =>
            Says.IsBlob(request, "uploads") && request.Method == HttpMethod.Delete
                ? new(HttpStatusCode.Conflict, "BlobImmutableDueToPolicy")
                : null;

        var session = await Registry.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/");
        var first = await Registry.SendAsync("PATCH", session["Location"]!, bytes[..100_000]);
        var second = await Registry.SendAsync("PATCH", first["Location"]!, bytes[100_000..]);
        var put = await Registry.SendAsync("PUT", $"{second["Location"]}?digest={digest}");

        Assert.Equal(HttpStatusCode.Created, put.Status);
        Assert.Equal(bytes, (await Registry.SendAsync("GET", $"/v2/{Repo}/blobs/{digest}")).Bytes);
        Assert.NotEqual(0, Says.Said);
        Assert.NotEmpty(await UploadsAsync());
        var swept = await Node.SweepYoungAsync();
        Assert.Equal(0, swept[SweepKind.Failed]);
        Assert.NotEmpty(await UploadsAsync());
        Says.Say = _ => null;
        await Node.SweepYoungAsync();
        Assert.Empty(await UploadsAsync());
    }

    [Theory]
    [InlineData("CannotVerifyCopySource", 409)]
    [InlineData("CannotVerifyCopySource", 403)]
    [InlineData("BlobArchived", 409)]
    [InlineData("BlobBeingRehydrated", 409)]
    [InlineData("PendingCopyOperation", 409)]
    [InlineData("LeaseIdMissing", 412)]
    [InlineData("BlobImmutableDueToPolicy", 409)]
    public async Task A_mount_that_storage_does_not_copy_begins_an_upload(string code, int status)
    {
        Says.Say = request => request.Headers.Contains("x-ms-copy-source") ? new((HttpStatusCode)status, code) : null;

        var mount = await Registry.SendAsync("POST", $"/v2/alice/other/blobs/uploads/?mount={Layer}&from={Repo}");

        Assert.Equal(HttpStatusCode.Accepted, mount.Status);
        Assert.NotEqual(0, Says.Said);
        var put = await Registry.SendAsync("PUT", $"{mount["Location"]}?digest={Layer}", Bytes);
        Assert.Equal(HttpStatusCode.Created, put.Status);
    }

    private async Task<List<string>> UploadsAsync()
    {
        var names = new List<string>();
        await foreach (var blob in Outside.Storage.Uploads.GetBlobsAsync(cancellationToken: Stop))
        {
            names.Add(blob.Name);
        }

        return names;
    }

    // Held as storage tells it to who looks. What undoes it.
    private async Task<Func<Task>> HoldAsync(string code, params string[] paths)
    {
        if (code == "LeaseIdMissing")
        {
            var releases = new List<Func<Task>>();
            foreach (var path in paths)
            {
                releases.Add(await LeaseAsync(path));
            }

            return () => Task.WhenAll(releases.Select(release => release()));
        }

        (string, string)[] headers = code switch
        {
            "BlobImmutableDueToPolicy" =>
            [
                ("x-ms-immutability-policy-until-date", DateTimeOffset.UtcNow.AddDays(1).ToString("R")),
                ("x-ms-immutability-policy-mode", "locked"),
            ],
            "BlobImmutableDueToLegalHold" => [("x-ms-legal-hold", "true")],
            _ => [("x-ms-copy-status", "pending"), ("x-ms-copy-id", Guid.NewGuid().ToString())],
        };
        Says.Add = request =>
            request.Method == HttpMethod.Head
            && Array.Exists(paths, path => request.RequestUri!.AbsolutePath.EndsWith(path, StringComparison.Ordinal))
                ? headers
                : [];
        return () =>
        {
            Says.Add = _ => [];
            return Task.CompletedTask;
        };
    }
}
