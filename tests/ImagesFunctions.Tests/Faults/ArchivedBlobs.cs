using System.Net;
using ImagesFunctions.Ingest;
using ImagesFunctions.Tests.Registry;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Faults;

/// <summary>Blobs in the archive tier: there, and not to be read.</summary>
public sealed class ArchivedBlobs : HeldBlobs
{
    [Theory]
    [InlineData("blobs")]
    [InlineData("manifests")]
    public async Task GET_and_HEAD_say_the_same_and_the_image_stays_listed(string what)
    {
        var isBlob = what == "blobs";
        var path = isBlob ? LayerPath : ManifestPath;
        string[] targets = isBlob
            ? [$"/v2/{Repo}/blobs/{Layer}"]
            : [$"/v2/{Repo}/manifests/v1", $"/v2/{Repo}/manifests/{Image.FirstImage}"];
        await ArchiveAsync(path);

        foreach (var target in targets)
        {
            IsHeld(await Registry.SendAsync("GET", target), "BlobArchived", path);
            IsHeld(await Registry.SendAsync("HEAD", target), "BlobArchived", path);
            IsHeld(await Registry.SendAsync("GET", target, headers: ("Range", "bytes=0-1")), "BlobArchived", path);
        }

        // Nothing is taken back because of that, also by its event or a sweep.
        await Node.LandAsync([path]);
        await Node.SweepYoungAsync();
        Assert.Equal([Listed], await Node.ListedAsync("alice"));
        await RehydrateAsync(path);
        await IsPulledAsync();
    }

    [Theory]
    [InlineData("manifests")]
    [InlineData("blobs")]
    public async Task A_boot_tar_is_not_made_of_it(string what)
    {
        var path = what == "blobs" ? LayerPath : ManifestPath;
        await ArchiveAsync(path);

        IsHeld(await SendV1Async("GET", $"/boot/{Repo}/v1"), "BlobArchived", path);

        await RehydrateAsync(path);
        Assert.Equal(HttpStatusCode.Found, (await SendV1Async("GET", $"/boot/{Repo}/v1")).Status);
    }

    [Fact]
    public async Task A_pull_is_not_redirected_to_where_storage_refuses_it()
    {
        await using var redirecting = new Node(Outside.Storage, ("RedirectPulls", "true"));
        var registry = new NodeRegistry(redirecting, "alice", Token);
        var target = $"/v2/{Repo}/blobs/{Layer}";
        Assert.Equal(HttpStatusCode.TemporaryRedirect, (await registry.SendAsync("GET", target)).Status);
        await ArchiveAsync(LayerPath);

        Assert.Equal(HttpStatusCode.Conflict, (await registry.SendAsync("GET", target)).Status);
    }

    [Theory]
    [InlineData("one request")]
    [InlineData("a session")]
    [InlineData("chunks")]
    [InlineData("a mount")]
    public async Task A_push_of_the_same_bytes_puts_them_in_its_place(string way)
    {
        await Registry.SendAsync("POST", $"/v2/alice/other/blobs/uploads/?digest={Layer}", Bytes);
        await ArchiveAsync(LayerPath);

        Assert.Equal(HttpStatusCode.Created, (await PushAsync(Registry, way)).Status);

        await IsPulledAsync();
    }

    [Fact]
    public async Task A_push_of_a_manifest_puts_it_in_its_place()
    {
        await ArchiveAsync(ManifestPath);

        var push = await Registry.SendAsync("PUT", $"/v2/{Repo}/manifests/v1", Manifest, Layout.OciManifest);

        Assert.Equal(HttpStatusCode.Created, push.Status);
        await IsPulledAsync();
    }

    [Fact]
    public async Task A_push_that_cannot_put_its_bytes_there_says_why_and_takes_nothing_away()
    {
        await ArchiveAsync(LayerPath);
        var release = await LeaseAsync(LayerPath);

        IsHeld(await PushAsync(Registry, "one request"), "LeaseIdMissing", LayerPath);
        IsHeld(await PushAsync(Registry, "chunks"), "LeaseIdMissing", LayerPath);

        await release();
        await RehydrateAsync(LayerPath);
        await IsPulledAsync();
    }

    /// <summary>What makes way does so only for bytes that are there.</summary>
    [Fact]
    public async Task A_mount_from_what_is_archived_too_begins_an_upload_and_takes_nothing_away()
    {
        await Registry.SendAsync("POST", $"/v2/alice/other/blobs/uploads/?digest={Layer}", Bytes);
        await ArchiveAsync(LayerPath);
        await ArchiveAsync($"alice/other/{Image.FirstLayer}");

        foreach (var query in (string[])[$"?mount={Layer}&from=alice/other", $"?mount={Layer}"])
        {
            var mount = await Registry.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/{query}");
            Assert.Equal(HttpStatusCode.Accepted, mount.Status);
            Assert.Equal(HttpStatusCode.NoContent, (await Registry.SendAsync("GET", mount["Location"]!)).Status);
        }

        await RehydrateAsync(LayerPath);
        await IsPulledAsync();
    }

    [ScheduleFact]
    public async Task Killed_anywhere_a_push_leaves_it_or_can_be_sent_again()
    {
        for (var call = 1; ; call++)
        {
            await ArchiveAsync(LayerPath);
            await using var killed = new Node(Outside.Connection);
            killed.Calls.KillAt(call, afterIt: call % 2 == 0);
            var push = await PushAsync(new NodeRegistry(killed, "alice", Token), "one request");
            if (push.Status != HttpStatusCode.Created)
            {
                Assert.Equal(HttpStatusCode.Created, (await PushAsync(Registry, "one request")).Status);
            }

            await IsPulledAsync();
            if (killed.Calls.Count < call)
            {
                // It came to its end.
                Assert.InRange(call, 6, 60);
                return;
            }
        }
    }

    [Fact]
    public async Task A_manifest_whose_config_is_archived_is_refused_with_its_name_until_that_is_pushed_again()
    {
        var other = new Layout();
        var config = other.Add(Layout.OciConfig, new System.Text.Json.Nodes.JsonObject { ["author"] = "other" });
        other.Index(other.AddManifest(config, other.Add(Layout.OciTar, Bytes)));
        var configPath = $"{Repo}/{Layout.PathOf(Layout.Digest(config))}";
        var configBytes = other.Files[Layout.PathOf(Layout.Digest(config))];
        var blobs = $"/v2/{Repo}/blobs/uploads/?digest={Layout.Digest(config)}";
        await Registry.SendAsync("POST", blobs, configBytes);
        await ArchiveAsync(configPath);
        Task<Reply> PutAsync() =>
            Registry.SendAsync(
                "PUT",
                $"/v2/{Repo}/manifests/v2",
                other.Files[Layout.PathOf(other.FirstImage)],
                Layout.OciManifest
            );

        IsHeld(await PutAsync(), "BlobArchived", configPath);
        Assert.Equal([Listed], await Node.ListedAsync("alice"));

        Assert.Equal(HttpStatusCode.Created, (await Registry.SendAsync("POST", blobs, configBytes)).Status);
        Assert.Equal(HttpStatusCode.Created, (await PutAsync()).Status);
        Assert.Equal(2, (await Node.ListedAsync("alice")).Length);
    }

    [Theory]
    [InlineData("config")]
    [InlineData("layer")]
    [InlineData("manifest")]
    [InlineData("index.json")]
    public async Task A_drop_with_something_archived_waits_says_why_and_is_taken_in_when_it_can_be_read(string what)
    {
        const string dropped = "alice/dropped";
        var layout = Layout.Small("dropped", "v1");
        await Outside.PutAsync(dropped, layout);
        var manifest = layout.Read(layout.Manifests[0]);
        var path = what switch
        {
            "config" => $"{dropped}/{Layout.PathOf(Layout.Digest(manifest["config"]!.AsObject()))}",
            "layer" => $"{dropped}/{layout.FirstLayer}",
            "manifest" => $"{dropped}/{Layout.PathOf(layout.FirstImage)}",
            _ => $"{dropped}/{what}",
        };
        await ArchiveAsync(path);

        // No event fails because of it: the host would set it aside.
        await Node.LandAsync(layout.Files.Keys.Select(file => $"{dropped}/{file}"));

        Assert.Equal([Listed], await Node.ListedAsync("alice"));
        var status = await Node.Services.GetRequiredService<StatusReader>().ReadAsync("alice", "dropped", Stop);
        Assert.Contains(
            status.Refused,
            r => r.State == "failed" && r.Reason.Contains("(BlobArchived)", StringComparison.Ordinal)
        );
        await RehydrateAsync(path);
        await Node.SweepYoungAsync();
        Assert.Contains($"dropped@{layout.FirstImage} v1", await Node.ListedAsync("alice"));
        status = await Node.Services.GetRequiredService<StatusReader>().ReadAsync("alice", "dropped", Stop);
        Assert.Empty(status.Refused);
    }

    private static async Task<Reply> PushAsync(NodeRegistry registry, string way)
    {
        var uploads = $"/v2/{Repo}/blobs/uploads/";
        switch (way)
        {
            case "one request":
                return await registry.SendAsync("POST", $"{uploads}?digest={Layer}", Bytes);
            case "a mount":
                return await registry.SendAsync("POST", $"{uploads}?mount={Layer}&from=alice/other");
        }

        var session = (await registry.SendAsync("POST", uploads))["Location"]!;
        if (way == "a session")
        {
            return await registry.SendAsync("PUT", $"{session}?digest={Layer}", Bytes);
        }

        await registry.SendAsync("PATCH", session, Bytes[..1]);
        await registry.SendAsync("PATCH", session, Bytes[1..2]);
        return await registry.SendAsync("PUT", $"{session}?digest={Layer}", Bytes[2..]);
    }
}
