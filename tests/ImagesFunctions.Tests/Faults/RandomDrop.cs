using System.Text;
using System.Text.Json.Nodes;

namespace ImagesFunctions.Tests.Faults;

/// <summary>What is dropped: for each path, the contents that it has one after the other.</summary>
internal sealed class RandomDrop : IDisposable
{
    /// <summary>A step of a process: a file lands, after it was put there, or once more.</summary>
    public sealed record Step(string Path, bool Puts);

    private readonly Dictionary<string, Queue<byte[]>> _left = new(StringComparer.Ordinal);
    private readonly SemaphoreSlim _one = new(1);

    public RandomDrop(Random random)
    {
        var layout = new Layout();
        var layers = Enumerable
            .Range(0, 4)
            .Select(i => layout.Add(Layout.OciTar, Encoding.UTF8.GetBytes($"layer {i}")))
            .ToArray();
        var manifests = Images(layout, layers, random);
        AddIndexes(layout, manifests, random);
        var versions = Versions(layout, manifests, random);
        foreach (var (path, bytes) in layout.Files)
        {
            // Some are bad at first, some go bad and are mended.
            byte[][] contents = random.Next(8) switch
            {
                0 => ["bad"u8.ToArray(), bytes],
                1 => [bytes, "bad"u8.ToArray(), bytes],
                _ => [bytes],
            };
            _left[path] = path == "index.json" ? versions : new Queue<byte[]>(contents);
        }

        // One in three never becomes complete.
        if (random.Next(3) == 0)
        {
            _left.Remove(Layout.PathOf(Layout.Digest(random.GetItems(layers, 1)[0])));
        }

        Last = _left.ToDictionary(p => p.Key, p => p.Value.Last(), StringComparer.Ordinal);
    }

    public IReadOnlyDictionary<string, byte[]> Last { get; }

    /// <summary>What each of two processes does.</summary>
    public Step[][] Steps(Random random)
    {
        Step[] steps =
        [
            .. _left.SelectMany(p => p.Value.Select(_ => new Step(p.Key, Puts: true))),
            .. _left.Keys.Where(_ => random.Next(3) == 0).Select(p => new Step(p, Puts: false)),
        ];
        random.Shuffle(steps);
        var half = random.Next(steps.Length);
        return [steps[..half], steps[half..]];
    }

    public void Dispose() => _one.Dispose();

    public async Task PutNextAsync(Node uploader, string repository, string path)
    {
        await _one.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            await uploader.PutAsync($"{repository}/{path}", _left[path].Dequeue());
        }
        finally
        {
            _one.Release();
        }
    }

    private static List<JsonObject> Images(Layout layout, JsonObject[] layers, Random random)
    {
        var images = new List<JsonObject>();
        for (var i = random.Next(2, 5); i > 0; i--)
        {
            var config = layout.Add(
                Layout.OciConfig,
                new JsonObject { ["config"] = new JsonObject { ["Cmd"] = new JsonArray($"{i}") } }
            );
            images.Add(layout.AddManifest(config, random.GetItems(layers, 2)));
        }

        return images;
    }

    private static void AddIndexes(Layout layout, List<JsonObject> manifests, Random random)
    {
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            // Of images, and of the indexes before it.
            var children = random.GetItems(manifests.ToArray(), random.Next(2, 4));
            manifests.Add(
                layout.AddIndex(Layout.OciIndex, [.. children.Select((c, at) => Layout.For(c, "linux", $"{i}.{at}"))])
            );
        }
    }

    /// <summary>The contents that index.json has one after the other.</summary>
    private static Queue<byte[]> Versions(Layout layout, List<JsonObject> manifests, Random random)
    {
        JsonObject[] named = [manifests[^1], .. manifests.SkipLast(1).Where(_ => random.Next(3) == 0)];
        var versions = new Queue<byte[]>();
        for (var i = random.Next(3); i >= 0; i--)
        {
            // The last one names all: what an earlier one named stays an image.
            layout.Index([
                .. named
                    .Where(_ => i == 0 || random.Next(2) == 0)
                    .Select(m => random.Next(3) == 0 ? m : Layout.Tagged(m, $"v{random.Next(4)}")),
            ]);
            versions.Enqueue(layout.Files["index.json"]);
        }

        return versions;
    }
}
