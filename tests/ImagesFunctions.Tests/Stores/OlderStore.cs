using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Text.Json.Nodes;
using ImagesFunctions.GarbageCollection;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.Contract;
using ImagesFunctions.Tests.Local;
using ImagesFunctions.Tests.Registry;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Stores;

/// <summary>
/// A store that commit a0b752c made, by pushes, a drop, moves and deletes, as its Azurite left it on the disk. What it holds is
/// kept: it opens, lists, pulls, takes pushes and is collected.
/// </summary>
public sealed class OlderStore : IAsyncLifetime
{
    // Of account alice. It opens nothing but this copy.
    private const string Token =
        "cm9ib3QkYWxpY2UudXNlcnMua3JhZnRjbG91ZDo5MGZjNmQ1Yy5hNWMxYzcyYWFkMjA4MDYwNzMzMzJlNDQxNGVhZWZkMWFmYjdjODY3YTM5YWM1NmFlYWU1OGFmY2M2ZDNiYThk";
    private const string Session = "/v2/alice/web/blobs/uploads/12245ef7396ea13964dc830ddc736ab4";
    private const string Subject = "sha256:0a0cc97f98cba922017b5a08d28ce6b27db307cf29c0906d4b945dbb7d772e88";
    private const string Referrer = "sha256:705b42ba126e4748af017c527b80ab16a7df93cc95db6606863df10846d3db3f";

    private readonly TemporaryFolder _folder = new();
    private Azurite _azurite = null!;
    private WebApplication _app = null!;
    private RunningHost _host = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    private static string Data => Path.Combine(AppContext.BaseDirectory, "Stores");

    private RegistryClient Client => new(_host.Http, RegistryClient.Basic("alice", Token));

    public async ValueTask InitializeAsync()
    {
        await using (var archive = File.OpenRead(Path.Combine(Data, "a0b752c.tar.gz")))
        await using (var tar = new GZipStream(archive, CompressionMode.Decompress))
        {
            await TarFile.ExtractToDirectoryAsync(tar, _folder.Path, overwriteFiles: false, Stop);
        }

        _azurite = await Azurite.StartAsync(data: _folder.Path, cancellationToken: Stop);
        _app = LocalHost.Build(_azurite.ConnectionString, "http://127.0.0.1:0");
        await _app.StartAsync(Stop);
        _host = new RunningHost(new HttpClient { BaseAddress = _app.Address() }, _app.Services);
    }

    public async ValueTask DisposeAsync()
    {
        _host?.Http.Dispose();
        if (_app is not null)
        {
            await _app.StopAsync(CancellationToken.None);
            await _app.DisposeAsync();
        }

        if (_azurite is not null)
        {
            await _azurite.DisposeAsync();
        }

        _folder.Dispose();
    }

    [Fact]
    public async Task Lists_what_it_listed_before_and_after_a_collection()
    {
        var before = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Data, "a0b752c.list.json"), Stop))!;
        await IsListedAsync(before["data"]!["images"]!.AsArray());

        var collector = _app.Services.GetRequiredService<Sweeper>();
        var options = collector.Options with { AfterPush = TimeSpan.Zero, AfterDrop = TimeSpan.Zero };
        await collector.RunAsync(options, dryRun: false, Stop);

        await IsListedAsync(before["data"]!["images"]!.AsArray());
        await EverythingListedCanBePulledAsync();
    }

    // What is longer than lists show now is shown as a whole by its digest.
    private async Task IsListedAsync(JsonArray expected)
    {
        var listed = (await _host.ListAsync(Token)).Json["data"]!["images"]!.AsArray();
        Assert.Equal(expected.Count, listed.Count);
        var (before, now) = (expected.DeepClone().AsArray(), listed.DeepClone().AsArray());
        foreach (var (old, image) in before.Zip(now, (a, b) => (a!.AsObject(), b!.AsObject())))
        {
            if (image.Remove("truncated"))
            {
                image.Remove("labels");
                var labels = old["labels"]!.DeepClone();
                old.Remove("labels");
                var whole = await _host.AskAsync($"/v1/images/digest/{image["digest"]}", Token);
                Assert.Equal(
                    ImagesList.Canonical(labels),
                    ImagesList.Canonical(whole.Json["data"]!["images"]![0]!["labels"]!)
                );
            }
        }

        Assert.Equal(ImagesList.Canonical(before), ImagesList.Canonical(now));
        Assert.Single(listed, image => image!.AsObject().ContainsKey("truncated"));
    }

    [Fact]
    public async Task Goes_on_with_a_session_takes_pushes_and_answers_referrers()
    {
        Assert.Equal("0-7", (await Client.GetAsync(Session))["Range"]);
        var digest = Layout.DigestOf("half of it"u8.ToArray());
        var reply = await Client.SendAsync("PUT", $"{Session}?digest={digest}", "it"u8.ToArray());
        Assert.True(reply.Status == HttpStatusCode.Created, reply.Text);
        Assert.Equal("half of it"u8.ToArray(), (await Client.GetAsync($"/v2/alice/web/blobs/{digest}")).Bytes);

        var layout = Layout.Small("newer", "v1");
        await Client.PushAsync("alice/web", layout);
        var image = (await _host.ListAsync(Token, "tag=alice/web:v1")).Images.Single();
        Assert.Equal($"alice/web@{layout.FirstImage}", image["digest"]!.GetValue<string>());

        var referrers = (await Client.GetAsync($"/v2/alice/web/referrers/{Subject}")).Json["manifests"]!.AsArray();
        Assert.Equal(Referrer, Assert.Single(referrers)!["digest"]!.GetValue<string>());
        Assert.Equal(HttpStatusCode.NotFound, (await Client.GetAsync("/v2/alice/web/manifests/gone")).Status);
        // What was dropped beside the layout and is not what its name says.
        Assert.Single((await _host.StatusAsync("alice")).Refused);
    }

    private async Task EverythingListedCanBePulledAsync()
    {
        foreach (var reference in (await _host.ListAsync(Token, "namespace=alice")).Digests)
        {
            var (name, digest) = reference.Split('@') switch
            {
                [var n, var d] => (n, d),
                _ => throw new InvalidOperationException(reference),
            };
            var manifest = await Client.GetAsync($"/v2/{name}/manifests/{digest}");
            Assert.Equal(digest, Layout.DigestOf(manifest.Bytes, digest.Split(':')[0]));
            foreach (var layer in manifest.Json["layers"]?.AsArray() ?? [])
            {
                var needed = Layout.Digest(layer!.AsObject());
                var blob = await Client.GetAsync($"/v2/{name}/blobs/{needed}");
                Assert.Equal(needed, Layout.DigestOf(blob.Bytes, needed.Split(':')[0]));
            }
        }
    }
}
