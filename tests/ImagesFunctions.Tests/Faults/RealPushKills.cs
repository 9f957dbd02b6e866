using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Faults;

/// <summary>The program itself, ended by SIGKILL at random moments while clients push to it over HTTP.</summary>
[TakesLong(seconds: 30)]
public sealed class RealPushKills
{
    private const string Namespace = "alice";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [ScheduleFact]
    public Task Every_push_that_was_answered_201_is_pulled_back_byte_for_byte() => PushesAsync(pushes: 12, kills: 3);

    [LongFact]
    public Task Every_one_of_200_pushes_that_was_answered_201_is_pulled_back_byte_for_byte() =>
        PushesAsync(pushes: 200, kills: 40);

    private static async Task PushesAsync(int pushes, int kills)
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var reader = new Node(connection);
        var token = await NodeRegistry.TokenAsync(reader, Namespace);
        var images = Enumerable.Range(0, pushes).Select(Image).ToList();
        var acknowledged = new bool[pushes];
        var killed = 0;
        var at = 0;
        while (at < pushes)
        {
            var clock = Stopwatch.StartNew();
            await using var server = await LocalProgram.ServeAsync(connection);
            var started = clock.Elapsed;
            using var http = new HttpClient { BaseAddress = server.Address };
            var client = new RegistryClient(http, RegistryClient.Basic(Namespace, token));
            var last = killed == kills;
            var killing = last ? Task.CompletedTask : KillSoonAsync(server, started);
            killed++;
            try
            {
                for (; at < pushes; at++)
                {
                    await client.PushAsync($"{Namespace}/app{at}", images[at]);
                    acknowledged[at] = true;
                }
            }
            catch (Exception error) when (error is HttpRequestException or IOException)
            {
                // It was killed in the middle of this one, which is pushed again to the next server.
                await killing;
                await Invariants.HoldAsync(reader, Namespace);
                await AreThereAsync(reader, token, images, acknowledged);
            }
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{killed - 1} kills");
        Assert.All(acknowledged, Assert.True);
        await AreThereAsync(reader, token, images, acknowledged);
        await reader.StartAsync();
        await Invariants.SettledAsync(reader, Namespace);
    }

    private static async Task KillSoonAsync(LocalProgram server, TimeSpan started)
    {
        // A random moment is what this is about: there is nothing to wait for. As long as a start at most, which takes
        // longer on a busy machine, as a push does.
        await Task.Delay(started * Random.Shared.NextDouble(), Stop);
        await server.KillAsync();
    }

    // All that was acknowledged, and nothing else than perhaps the one that was under way.
    private static async Task AreThereAsync(Node reader, string token, List<Layout> images, bool[] acknowledged)
    {
        var registry = new NodeRegistry(reader, Namespace, token);
        for (var i = 0; i < images.Count && acknowledged[i]; i++)
        {
            var image = images[i];
            foreach (var path in image.Needs(image.FirstImage))
            {
                var digest = path["blobs/".Length..].Replace('/', ':');
                var pulled = await registry.SendAsync("GET", $"/v2/{Namespace}/app{i}/blobs/{digest}");
                Assert.True(pulled.Status == HttpStatusCode.OK, $"push {i}: {pulled.Text}");
                Assert.Equal(image.Files[path], pulled.Bytes);
            }

            Assert.Equal(
                image.Files[Layout.PathOf(image.FirstImage)],
                (await registry.SendAsync("GET", $"/v2/{Namespace}/app{i}/manifests/v1")).Bytes
            );
        }

        var listed = await reader.ListedAsync(Namespace);
        var known = acknowledged.Count(a => a);
        Assert.InRange(listed.Length, known, known + 1);
    }

    private static Layout Image(int i)
    {
        var layout = new Layout();
        var config = layout.Add(Layout.OciConfig, Encoding.UTF8.GetBytes("{}"));
        // One that goes to its place as it comes, and a small one.
        var image = layout.AddManifest(
            config,
            layout.Add(Layout.OciLayer, RandomNumberGenerator.GetBytes(4_500_000)),
            layout.Add(Layout.OciLayer, Encoding.UTF8.GetBytes(i.ToString(CultureInfo.InvariantCulture)))
        );
        return layout.Index(Layout.Tagged(image, "v1"));
    }
}
