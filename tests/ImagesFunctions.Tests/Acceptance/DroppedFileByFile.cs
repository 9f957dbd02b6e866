using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using ImagesFunctions.Tests.RealImages;

namespace ImagesFunctions.Tests.Acceptance;

/// <summary>A layout is dropped file by file in random order while another client lists in a loop.</summary>
public sealed class DroppedFileByFile(KestrelFixture fixture, RealLayouts layouts) : AgainstAHost(fixture)
{
    [Theory]
    [InlineData("team/web/front", "several platforms", 1)]
    [InlineData("team/web/front", "several platforms", 2)]
    [InlineData("team/web/front", "unikernel with kernel arguments", 3)]
    [InlineData("team/web/front", "nested index", 4)]
    // `blobs` is a legal part of a name.
    [InlineData("team/blobs/sha256", "unikernel", 5)]
    public async Task No_incomplete_image_ever_appears_and_the_whole_one_soon_does(string app, string kind, int seed) =>
        await DropAsync(app, kind, seed, (_, _) => Task.CompletedTask);

    /// <summary>Each file is taken note of before the next one lands: every half of a layout is seen by ingest, and by a list.</summary>
    [Theory]
    [InlineData("several platforms", 11)]
    [InlineData("unikernel", 12)]
    public async Task Nor_does_one_when_every_file_is_ingested_before_the_next(string kind, int seed) =>
        await DropAsync(
            "web",
            kind,
            seed,
            (account, file) =>
                file.StartsWith("blobs/", StringComparison.Ordinal)
                    ? Host.VerifiedAsync(account, "web", file["blobs/".Length..].Replace('/', ':'))
                    : Task.CompletedTask
        );

    private async Task DropAsync(string app, string kind, int seed, Func<string, string, Task> between)
    {
        var account = Drop.Fresh("alice");
        var repository = $"{account}/{app}";
        var token = await Host.TokenForAsync(account);
        var folder = await layouts.FolderAsync(kind);
        var layout = Layout.FromFolder(folder);
        var expected = Assert.Single(await new ToolsSay(folder).OfAsync(repository));
        var order = layout.Files.Keys.ToArray();
        new Random(seed).Shuffle(order);
        var output = TestContext.Current.TestOutputHelper!;
        output.WriteLine(
            $"Seed {seed}, order: {string.Join(", ", order.Select(file => file[..Math.Min(20, file.Length)]))}"
        );

        var begun = new ConcurrentDictionary<string, bool>(StringComparer.Ordinal);
        var lists = new Lists(Host, token, account);
        var listing = lists.RunAsync(answer => Check(answer, repository, layout, begun.ContainsKey, expected));
        try
        {
            foreach (var file in order)
            {
                begun[file] = true;
                await Host.FileAsync($"{repository}/{file}", layout.Files[file]);
                await between(account, file);
                await lists.OneMoreAsync();
            }

            var clock = Stopwatch.StartNew();
            await Host.ListedAsync(token, account, expected["digest"]!.GetValue<string>());
            output.WriteLine(
                $"Listed {clock.ElapsedMilliseconds} ms after the last file; {lists.Count} lists were read meanwhile."
            );
            await Host.ListsExactlyAsync(token, account, expected);
        }
        finally
        {
            lists.Stop();
            await listing;
        }
    }

    /// <summary>
    /// Whatever is listed has every blob it needs in the container, its upload at least begun, and its digest leads to bytes that
    /// were dropped. The image itself is listed with the right numbers from the first time on; its tag may follow.
    /// </summary>
    private static void Check(
        Answer answer,
        string repository,
        Layout layout,
        Func<string, bool> begun,
        JsonObject expected
    )
    {
        Assert.Equal(HttpStatusCode.OK, answer.Status);
        foreach (var image in answer.Images)
        {
            var reference = image["digest"]!.GetValue<string>();
            Assert.StartsWith($"{repository}@", reference, StringComparison.Ordinal);
            Assert.All(
                layout.Needs(reference[(repository.Length + 1)..]),
                path => Assert.True(begun(path), $"{reference} was listed before {path} was dropped.")
            );
            if (reference == expected["digest"]!.GetValue<string>())
            {
                Assert.Equal(expected["size_in_bytes"]!.GetValue<long>(), image["size_in_bytes"]!.GetValue<long>());
                Assert.Equal(expected["args"]!.GetValue<string>(), image["args"]!.GetValue<string>());
            }
        }
    }

    /// <summary>A client that lists in a loop.</summary>
    private sealed class Lists(RunningHost host, string token, string @namespace)
    {
        private volatile bool stopped;
        private int begun;
        private int done;
        private Task running = Task.CompletedTask;

        public int Count => Volatile.Read(ref done);

        public Task RunAsync(Action<Answer> check) => running = LoopAsync(check);

        public void Stop() => stopped = true;

        /// <summary>Waits until a list that was asked for after this call has been checked.</summary>
        public async Task OneMoreAsync()
        {
            var next = Volatile.Read(ref begun) + 1;
            await Until.TrueAsync(
                () => Task.FromResult(running.IsCompleted || Volatile.Read(ref done) >= next),
                () => Task.FromResult("No list was answered.")
            );
            if (running.IsCompleted)
            {
                await running;
            }
        }

        private async Task LoopAsync(Action<Answer> check)
        {
            while (!stopped)
            {
                Interlocked.Increment(ref begun);
                check(await host.ListAsync(token, $"namespace={@namespace}"));
                Interlocked.Increment(ref done);
            }
        }
    }
}
