using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using ImagesFunctions.Exploration.Histories;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Registry;
using ImagesFunctions.Tests.Stress;

namespace ImagesFunctions.Tests.Histories;

// Not the folder of that name.
using Operation = global::ImagesFunctions.Exploration.Histories.Operation;

/// <summary>
/// Clients of one namespace that push, move, delete, pull and list at the same time, and write down what they asked for, when, and
/// what they were told. All times are of this process's clock.
/// </summary>
/// <param name="fleet">The servers.</param>
/// <param name="namespace">The namespace, which is new.</param>
/// <param name="token">A token of its account.</param>
internal sealed class Recorder(Fleet fleet, string @namespace, string token)
{
    private const int TagsEach = 3;

    private static readonly byte[] s_config = "{}"u8.ToArray();
    private static readonly byte[] s_layer = "a layer"u8.ToArray();

    private readonly string[] _repositories = [$"{@namespace}/web", $"{@namespace}/db"];
    private readonly ConcurrentQueue<Operation> _history = [];
    private readonly ConcurrentQueue<(string Repository, byte[] Manifest)> _pushed = [];

    /// <summary>What was written down.</summary>
    public IReadOnlyCollection<Operation> History => _history;

    /// <summary>Stores the blobs that all images have, by the network that has no faults.</summary>
    public async Task PrepareAsync(NodeRegistry registry)
    {
        foreach (var repository in _repositories)
        {
            foreach (var blob in new[] { s_config, s_layer })
            {
                var path = $"/v2/{repository}/blobs/uploads/?digest={Layout.DigestOf(blob)}";
                Assert.Equal(HttpStatusCode.Created, (await registry.SendAsync("POST", path, blob)).Status);
            }
        }
    }

    /// <summary>Runs clients until all of them together have done so many operations.</summary>
    public async Task RunAsync(int clients, int operations)
    {
        var left = operations;
        await Task.WhenAll(Enumerable.Range(0, clients).Select(ClientAsync));

        async Task ClientAsync(int number)
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                await AnyAsync($"{number}");
            }
        }
    }

    private Task AnyAsync(string client)
    {
        var repository = _repositories[Random.Shared.Next(_repositories.Length)];
        var tag = $"v{Random.Shared.Next(TagsEach)}";
        return Random.Shared.Next(20) switch
        {
            < 7 => PutAsync(client, repository, tag),
            < 9 => DeleteTagAsync(client, repository, tag),
            9 => DeleteImageAsync(client),
            < 15 => GetAsync(client, repository, tag),
            _ => ListAsync(client),
        };
    }

    private async Task PutAsync(string client, string repository, string tag)
    {
        // Now and then an image that was pushed before, and may have been deleted since.
        var again =
            Random.Shared.Next(4) == 0 ? _pushed.Reverse().FirstOrDefault(p => p.Repository == repository) : default;
        var manifest = again.Manifest ?? Manifest();
        var start = Now;
        var reply = await SendAsync(
            "PUT",
            $"/v2/{repository}/manifests/{tag}",
            manifest,
            ("Content-Type", Layout.OciManifest)
        );
        Add(
            new Operation(OperationKind.Put, start, Now, OutcomeOf(reply, HttpStatusCode.Created))
            {
                Client = client,
                Tag = $"{repository}:{tag}",
                Value = Layout.DigestOf(manifest),
            }
        );
        _pushed.Enqueue((repository, manifest));
    }

    private async Task DeleteTagAsync(string client, string repository, string tag)
    {
        var start = Now;
        var reply = await SendAsync("DELETE", $"/v2/{repository}/manifests/{tag}");
        // Where there was none it has only looked.
        var kind = reply?.Status == HttpStatusCode.NotFound ? OperationKind.Get : OperationKind.Delete;
        var outcome = kind == OperationKind.Get ? OperationOutcome.Ok : OutcomeOf(reply, HttpStatusCode.Accepted);
        Add(new Operation(kind, start, Now, outcome) { Client = client, Tag = $"{repository}:{tag}" });
    }

    private async Task DeleteImageAsync(string client)
    {
        if (!_pushed.TryDequeue(out var pushed))
        {
            return;
        }

        var (start, digest) = (Now, Layout.DigestOf(pushed.Manifest));
        var reply = await SendAsync("DELETE", $"/v2/{pushed.Repository}/manifests/{digest}");
        var outcome =
            reply?.Status == HttpStatusCode.NotFound
                ? OperationOutcome.Failed
                : OutcomeOf(reply, HttpStatusCode.Accepted);
        Add(new Operation(OperationKind.DeleteImage, start, Now, outcome) { Client = client, Value = digest });
    }

    private async Task GetAsync(string client, string repository, string tag)
    {
        var start = Now;
        var reply = await SendAsync("HEAD", $"/v2/{repository}/manifests/{tag}");
        if (reply is not null && reply.Status != HttpStatusCode.NotFound)
        {
            Assert.Equal(HttpStatusCode.OK, reply.Status);
        }

        Add(
            new Operation(OperationKind.Get, start, Now, reply is null ? OperationOutcome.Unknown : OperationOutcome.Ok)
            {
                Client = client,
                Tag = $"{repository}:{tag}",
                Value = reply?["Docker-Content-Digest"],
            }
        );
    }

    private async Task ListAsync(string client)
    {
        var start = Now;
        var reply = await SendAsync("GET", $"/{ImagesList.Route}?namespace={@namespace}");
        Add(
            new Operation(
                OperationKind.List,
                start,
                Now,
                reply is null ? OperationOutcome.Unknown : OperationOutcome.Ok
            )
            {
                Client = client,
                Tags = reply is null ? null : TagsOf(reply),
            }
        );
    }

    private static long Now => Stopwatch.GetTimestamp();

    private static Dictionary<string, string> TagsOf(Reply reply)
    {
        Assert.True(reply.Status == HttpStatusCode.OK, reply.Text);
        var tags =
            from image in reply.Json["data"]!["images"]!.AsArray()
            from tag in image!["tags"]!.AsArray()
            select (Tag: tag!.GetValue<string>(), Digest: image["digest"]!.GetValue<string>().Split('@')[1]);
        return tags.ToDictionary(t => t.Tag, t => t.Digest, StringComparer.Ordinal);
    }

    private static OperationOutcome OutcomeOf(Reply? reply, HttpStatusCode expected)
    {
        if (reply is not null)
        {
            Assert.True(reply.Status == expected, $"{reply.Status} {reply.Text}");
        }

        return reply is null ? OperationOutcome.Unknown : OperationOutcome.Ok;
    }

    // No two have the same bytes.
    private static byte[] Manifest()
    {
        static JsonObject Descriptor(string type, byte[] bytes) =>
            new()
            {
                ["mediaType"] = type,
                ["digest"] = Layout.DigestOf(bytes),
                ["size"] = bytes.Length,
            };
        var manifest = new JsonObject
        {
            ["schemaVersion"] = 2,
            ["mediaType"] = Layout.OciManifest,
            ["config"] = Descriptor(Layout.OciConfig, s_config),
            ["layers"] = new JsonArray(Descriptor(Layout.OciLayer, s_layer)),
            ["annotations"] = new JsonObject { ["nonce"] = $"{Guid.NewGuid()}" },
        };
        return Encoding.UTF8.GetBytes(manifest.ToJsonString());
    }

    private Task<Reply?> SendAsync(
        string method,
        string path,
        byte[]? body = null,
        params (string Name, string Value)[] headers
    ) => fleet.TryAsync(method, path, body, headers: [.. headers, ("Authorization", $"Bearer {token}")]);

    private void Add(Operation operation) => _history.Enqueue(operation);
}
