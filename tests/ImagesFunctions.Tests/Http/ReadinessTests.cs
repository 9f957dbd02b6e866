using System.Net;
using ImagesFunctions.Images;
using ImagesFunctions.Local;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;
using ImagesFunctions.Tests.Operation;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Testing;

namespace ImagesFunctions.Tests.Http;

public sealed class ReadinessTests
{
    // Two tables and four containers, each of which may be missing alone.
    private const int Asked = 6;

    private readonly StorageCalls _calls = new();
    private readonly FakeLogCollector _log = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task However_many_ask_one_read_is_on_its_way()
    {
        var readiness = On(await Storages.NewWithTablesAsync());
        var held = new TaskCompletionSource();
        _calls.Before = (_, _) => new ValueTask(held.Task);

        var asked = Enumerable.Range(0, 200).Select(_ => readiness.IsReadyAsync(Stop)).ToList();
        await Until.TrueAsync(() => Task.FromResult(_calls.Count > 0), () => Task.FromResult("No read was sent."));
        asked.AddRange(Enumerable.Range(0, 200).Select(_ => readiness.IsReadyAsync(Stop)));
        held.SetResult();

        Assert.All(await Task.WhenAll(asked), Assert.True);
        Assert.Equal(Asked, _calls.Count);

        // What was true then says nothing of now.
        Assert.True(await readiness.IsReadyAsync(Stop));
        Assert.Equal(2 * Asked, _calls.Count);
    }

    [Fact]
    public async Task One_who_leaves_does_not_end_the_read_of_the_others()
    {
        var readiness = On(await Storages.NewWithTablesAsync());
        var held = new TaskCompletionSource();
        _calls.Before = (_, _) => new ValueTask(held.Task);
        using var leaves = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var first = readiness.IsReadyAsync(leaves.Token);
        var second = readiness.IsReadyAsync(Stop);

        await leaves.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        held.SetResult();

        Assert.True(await second);
    }

    [Fact]
    public async Task Storage_that_says_nothing_is_not_ready_and_nobody_waits_for_it()
    {
        var readiness = On(await Storages.NewWithTablesAsync(), TimeSpan.FromMilliseconds(200));
        // Not even the end of the call is heard.
        _calls.Before = (_, _) => new ValueTask(new TaskCompletionSource().Task);
        var asked = readiness.IsReadyAsync(Stop);
        await Deadline.OfAsync(asked, "an answer");

        Assert.False(await asked);
        _calls.Before = (_, _) => ValueTask.CompletedTask;
        await Until.TrueAsync(() => readiness.IsReadyAsync(Stop), () => Task.FromResult("It is not ready again."));
    }

    [Theory]
    [InlineData("table images")]
    [InlineData("table accounts")]
    [InlineData("container images")]
    [InlineData("container uploads")]
    [InlineData("container derived")]
    [InlineData("container catalog")]
    public async Task Storage_without_one_of_its_tables_and_containers_is_not_ready(string missing)
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        var readiness = On(node.Connection);
        await Until.TrueAsync(() => readiness.IsReadyAsync(Stop), () => Task.FromResult("It was never ready."));
        _log.Clear();
        await (
            missing switch
            {
                "table images" => node.Storage.ImageTable.DeleteAsync(Stop),
                "table accounts" => node.Storage.Accounts.DeleteAsync(Stop),
                "container images" => node.Storage.Images.DeleteAsync(cancellationToken: Stop),
                "container uploads" => node.Storage.Uploads.DeleteAsync(cancellationToken: Stop),
                _ => (Task)node.Storage.Derived.DeleteAsync(cancellationToken: Stop),
            }
        );

        Assert.False(await readiness.IsReadyAsync(Stop));

        var said = Assert.Single(_log.GetSnapshot());
        Assert.Equal(LogLevel.Error, said.Level);
        Assert.Contains(
            missing.StartsWith("table", StringComparison.Ordinal) ? "TableNotFound" : "ContainerNotFound",
            said.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task What_is_missing_is_named_also_where_something_else_does_not_answer()
    {
        await using var node = new Node(await Storages.NewWithTablesAsync());
        await node.Storage.Uploads.DeleteAsync(cancellationToken: Stop);
        var readiness = On(node.Connection, TimeSpan.FromSeconds(10));
        // Not even the end of the call is heard.
        _calls.Before = (_, message) =>
            message.Request.Uri.ToString().Contains("accounts", StringComparison.Ordinal)
                ? new ValueTask(new TaskCompletionSource().Task)
                : ValueTask.CompletedTask;

        Assert.False(await readiness.IsReadyAsync(Stop));

        var said = Assert.Single(_log.GetSnapshot()).Message;
        Assert.Contains("container uploads: ContainerNotFound (404)", said, StringComparison.Ordinal);
        Assert.Contains("table accounts: no answer within 10 s", said, StringComparison.Ordinal);
        Assert.DoesNotContain("table images", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("nothing listens there")]
    [InlineData("none is configured")]
    public async Task A_host_without_storage_says_not_ready_and_no_more(string why)
    {
        await using var app = await PipelineAlone.StartAsync(
            why.StartsWith("nothing", StringComparison.Ordinal) ? PipelineAlone.NoStorage : ""
        );
        using var client = new HttpClient();
        client.BaseAddress = app.Address();

        using var answer = await client.GetAsync("/readyz", Stop);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal("text/plain", answer.Content.Headers.ContentType?.MediaType);
        Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
        Assert.Equal("not ready\n", await answer.Content.ReadAsStringAsync(Stop));
        Assert.Equal("ok\n", await client.GetStringAsync("/healthz", Stop));
    }

    private Readiness On(string connection, TimeSpan? longest = null)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection([new(StorageAccount.Section, connection)])
            .Build();
        var storage = StorageAccount.From(configuration, [_calls]);
        // As long as it takes on a busy machine, where a test is not about the time.
        return new Readiness(() => storage, new FakeLogger<Readiness>(_log))
        {
            MaxRead = longest ?? TimeSpan.FromMinutes(5),
        };
    }
}
