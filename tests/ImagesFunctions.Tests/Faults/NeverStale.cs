using System.Diagnostics;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using ImagesFunctions.Accounts;
using ImagesFunctions.Images;
using ImagesFunctions.Oci;
using Microsoft.AspNetCore.Http;

namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// A list that starts after a change was acknowledged shows it: two processes on one storage account, both of which write
/// and both of which list, all at the same time.
/// </summary>
public sealed class NeverStale
{
    private const string Repository = "alice/web";
    private const int Writers = 3;
    private const int ReadersEach = 2;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [ScheduleFact]
    public Task A_list_shows_what_was_acknowledged_before_it_was_asked_for() => ListAsync(lists: 600);

    [LongFact]
    public Task Ten_thousand_lists_show_what_was_acknowledged_before_they_were_asked_for() => ListAsync(lists: 10_000);

    private static async Task ListAsync(int lists)
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        var layout = new Layout();
        var added = Enumerable.Range(0, 12).Select(i => layout.AddImage($"{i}")).ToArray();
        layout.Index(added);
        Digest[] images = [.. added.Select(i => Node.Digest(Layout.Digest(i)))];
        await node.PutAsync(Repository, layout);
        await node.StartAsync();
        var (_, token) = await new Tokens(node.Storage).CreateAsync("alice", null, Stop);
        await using var other = await Served.StartAsync(connection, token);

        using var done = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var histories = Enumerable.Range(0, Writers).Select(i => new History($"w{i}")).ToList();
        var writers = histories.ConvertAll(h => WriteAsync(node, other, h, images, done.Token));
        var left = lists;
        async Task ReadAsync(Func<string?, Task<Dictionary<string, string>>> list)
        {
            while (Interlocked.Decrement(ref left) >= 0)
            {
                // All tags, or one of them: each form has its own way to the rows.
                var only = left % 3 == 0 ? histories[left % Writers].Tag : null;
                var asked = Stopwatch.GetTimestamp();
                var shown = await list(only);
                var answered = Stopwatch.GetTimestamp();
                foreach (var history in histories.Where(h => only is null || h.Tag == only))
                {
                    history.Check(asked, answered, shown.GetValueOrDefault(history.Tag));
                }
            }
        }

        await Task.WhenAll(
            Enumerable
                .Range(0, ReadersEach)
                .SelectMany(_ =>
                    new[] { ReadAsync(tag => ListHereAsync(node, tag)), ReadAsync(tag => other.ListAsync(tag)) }
                )
        );
        await done.CancelAsync();
        await Task.WhenAll(writers);
        Assert.All(histories, h => Assert.True(h.Count > 10, $"{h.Tag} changed {h.Count} times only."));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{lists} lists beside {histories.Sum(h => h.Count)} changes of tags"
        );
    }

    // This process sets a tag and the other one deletes it, and so on.
    private static async Task WriteAsync(
        Node node,
        Served other,
        History history,
        Digest[] images,
        CancellationToken done
    )
    {
        var repository = Node.Repository(Repository);
        for (var i = 0; !done.IsCancellationRequested; i++)
        {
            var image = images[i % images.Length];
            await history.ChangeAsync(
                image.ToString(),
                () => node.Tagging.SetAsync(repository, history.Tag, image, Stop)
            );
            await history.ChangeAsync(null, () => other.DeleteTagAsync(history.Tag));
        }
    }

    private static async Task<Dictionary<string, string>> ListHereAsync(Node node, string? tag)
    {
        var context = new DefaultHttpContext();
        context.Request.QueryString = new QueryString(tag is null ? "" : $"?tag={Repository}:{tag}");
        var request = await ListRequest.ReadAsync(context.Request, ofLaterGeneration: false, Stop);
        var sequences = node.ImageLists.Ahead("alice", ownOnly: false, Stop);
        var page = await node.ImageLists.ListAsync(new Access("alice", isReadOnly: true), request, sequences, Stop);
        return page
            .Images.SelectMany(p => p.Images)
            .SelectMany(i => i.Tags.Select(t => (Tag: t, Digest: i.Row.Digest.ToString())))
            .ToDictionary(t => t.Tag, t => t.Digest, StringComparer.Ordinal);
    }

    /// <summary>What a tag pointed to, one value after the other, with the time when each change began and was acknowledged.</summary>
    private sealed class History(string tag)
    {
        private readonly Lock _gate = new();
        private readonly List<(long Began, long Acknowledged, string? Value)> _changes = [(0, 0, null)];

        public string Tag => tag;

        public int Count
        {
            get
            {
                lock (_gate)
                {
                    return _changes.Count;
                }
            }
        }

        public async Task ChangeAsync(string? value, Func<Task<bool>> change)
        {
            lock (_gate)
            {
                _changes.Add((Stopwatch.GetTimestamp(), long.MaxValue, value));
            }

            Assert.True(await change());
            lock (_gate)
            {
                _changes[^1] = _changes[^1] with { Acknowledged = Stopwatch.GetTimestamp() };
            }
        }

        public void Check(long asked, long answered, string? shown)
        {
            lock (_gate)
            {
                var oldest = _changes.FindLastIndex(c => c.Acknowledged < asked);
                var newest = _changes.FindLastIndex(c => c.Began <= answered);
                var allowed = _changes.GetRange(oldest, newest - oldest + 1).ConvertAll(c => c.Value);
                Assert.True(
                    allowed.Contains(shown, StringComparer.Ordinal),
                    $"{tag}: {shown ?? "none"} was shown, when it was one of {string.Join(", ", allowed.Select(v => v ?? "none"))}"
                );
            }
        }
    }

    /// <summary>The program in a process of its own.</summary>
    private sealed class Served(LocalProgram program, HttpClient http) : IAsyncDisposable
    {
        public static async Task<Served> StartAsync(string connection, string token)
        {
            var program = await LocalProgram.ServeAsync(connection);
            var http = new HttpClient { BaseAddress = program.Address };
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            return new Served(program, http);
        }

        public async Task<Dictionary<string, string>> ListAsync(string? tag)
        {
            var query = tag is null ? "" : $"?tag={Repository}:{tag}";
            var json = JsonNode.Parse(await http.GetStringAsync($"v1/images/list{query}", Stop))!;
            return json["data"]!["images"]!
                .AsArray()
                .SelectMany(i =>
                    i!["tags"]!
                        .AsArray()
                        .Select(t => (Tag: t!.GetValue<string>(), Image: i["digest"]!.GetValue<string>()))
                )
                .Where(t => t.Tag.StartsWith(Repository, StringComparison.Ordinal))
                .ToDictionary(t => t.Tag.Split(':')[1], t => t.Image.Split('@')[1], StringComparer.Ordinal);
        }

        public async Task<bool> DeleteTagAsync(string tag)
        {
            using var answer = await http.DeleteAsync(
                $"v1/images/tag/{Uri.EscapeDataString($"{Repository}:{tag}")}",
                Stop
            );
            return answer.IsSuccessStatusCode;
        }

        public async ValueTask DisposeAsync()
        {
            http.Dispose();
            await program.DisposeAsync();
        }
    }
}
