using ImagesFunctions.Catalog;
using ImagesFunctions.Oci;
using ImagesFunctions.Storage;
using ImagesFunctions.Tests.Faults;
using Microsoft.Extensions.DependencyInjection;

namespace ImagesFunctions.Tests.Catalog;

/// <summary>That catalogs say what is committed: by one process, by several, after kills, and of stores that had none.</summary>
public sealed class CatalogsAreWritten : IAsyncLifetime
{
    private const string Namespace = "alice";
    private const string Repo = "alice/web";

    private readonly Layout _layout = Layout.Small("one", "v1");
    private string _connection = "";
    private Node _node = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _connection = await Storages.NewWithTablesAsync();
        _node = new Node(_connection);
        // From here on its commits are gathered.
        Writer(_node);
        await _node.PutAsync(Repo, _layout);
        await _node.StartAsync();
    }

    public ValueTask DisposeAsync() => _node.DisposeAsync();

    [Fact]
    public async Task What_one_process_commits_costs_one_request_of_blobs_and_none_of_tables()
    {
        Assert.True(await Writer(_node).FlushAsync(Stop));
        await SaysWhatRowsSayAsync();

        // The journal is made.
        await TagAsync(_node, "first");
        Assert.True(await Writer(_node).FlushAsync(Stop));

        await TagAsync(_node, "a", "b", "c");
        var sent = new List<string>();
        _node.Calls.Before = (_, message) =>
        {
            lock (sent)
            {
                sent.Add($"{message.Request.Method} {message.Request.Uri.Path} {message.Request.Uri.Query}");
            }

            return ValueTask.CompletedTask;
        };
        Assert.True(await Writer(_node).FlushAsync(Stop));
        Assert.True(await Writer(_node).FlushAsync(Stop));

        Assert.Contains("comp=appendblock", Assert.Single(sent), StringComparison.Ordinal);
        await SaysWhatRowsSayAsync();
    }

    [Fact]
    public async Task Several_processes_commit_in_turn_and_at_once()
    {
        await using var other = new Node(_connection);
        Writer(other);
        for (var i = 0; i < 3; i++)
        {
            await TagAsync(_node, $"a{i}");
            await TagAsync(other, $"b{i}", $"c{i}");
            await TagAsync(_node, $"d{i}");
            await Task.WhenAll(Writer(_node).FlushAsync(Stop), Writer(other).FlushAsync(Stop));
            await SaysWhatRowsSayAsync();
        }
    }

    [Fact]
    public async Task What_a_killed_process_has_left_is_written_by_the_next_that_commits_or_sweeps()
    {
        await Writer(_node).FlushAsync(Stop);
        await using (var killed = new Node(_connection))
        {
            await TagAsync(killed, "left");
        }

        await TagAsync(_node, "next");
        await Writer(_node).FlushAsync(Stop);
        await SaysWhatRowsSayAsync();

        await using (var killed = new Node(_connection))
        {
            await TagAsync(killed, "left2");
        }

        await using var sweeper = new Node(_connection);
        await sweeper.SweepAsync(TimeSpan.FromMinutes(1));
        await SaysWhatRowsSayAsync();
    }

    /// <summary>A store of an earlier version has no catalog, and a log that begins later.</summary>
    [Fact]
    public async Task A_store_without_a_catalog_gets_one_by_its_first_commit_or_sweep()
    {
        await using var older = new Node(_connection);
        await TagAsync(older, "older");
        foreach (var entry in await older.RowStore.RangeAsync(Namespace, Keys.All('c'), Stop))
        {
            await older.Storage.ImageTable.DeleteEntityAsync(Namespace, entry.Key, cancellationToken: Stop);
        }

        await older.SweepAsync(TimeSpan.FromMinutes(1));
        await SaysWhatRowsSayAsync();

        await foreach (var blob in _node.Storage.Catalog.GetBlobsAsync(cancellationToken: Stop))
        {
            await _node.Storage.Catalog.DeleteBlobAsync(blob.Name, cancellationToken: Stop);
        }

        await TagAsync(_node, "newer");
        await Writer(_node).FlushAsync(Stop);
        await SaysWhatRowsSayAsync();
    }

    [Fact]
    public async Task The_log_is_not_trimmed_past_a_catalog_that_cannot_be_written()
    {
        await Writer(_node).FlushAsync(Stop);
        await TagAsync(_node, "late");
        await _node.Storage.Catalog.DeleteAsync(cancellationToken: Stop);

        var result = await _node.SweepAsync(TimeSpan.FromHours(2));
        Assert.Equal(0, result[SweepKind.LogEntries]);
        Assert.NotEmpty(await _node.RowStore.RangeAsync(Namespace, Keys.All('c'), Stop));

        await _node.Storage.Catalog.CreateAsync(cancellationToken: Stop);
        Assert.NotEqual(0, (await _node.SweepAsync(TimeSpan.FromHours(2)))[SweepKind.LogEntries]);
        await SaysWhatRowsSayAsync();
    }

    /// <summary>Kills at each request of a flush, of a checkpoint after a scan and of one that makes a journal needless.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_kill_anywhere_leaves_a_catalog_that_the_next_brings_forward(bool isFirst)
    {
        if (!isFirst)
        {
            await Writer(_node).FlushAsync(Stop);
        }

        for (var (call, ended) = (1, false); !ended; call++)
        {
            foreach (var after in (bool[])[false, true])
            {
                await using var victim = new Node(_connection);
                Writer(victim);
                await TagAsync(victim, $"t{call}{after}");
                victim.Calls.KillAt(victim.Calls.Count + call, after);
                ended = await Writer(victim).FlushAsync(Stop);
                await TagAsync(_node, $"n{call}{after}");
                Assert.True(await Writer(_node).FlushAsync(Stop), $"after call {call}");
                await SaysWhatRowsSayAsync();
            }
        }
    }

    [Fact]
    public async Task A_long_journal_becomes_a_checkpoint()
    {
        await Writer(_node).FlushAsync(Stop);
        var journal = _node.Services.GetRequiredService<CatalogJournal>();
        var row = new TagRow("web", "long", Node.Digest(_layout.FirstImage), "0f", FromLayout: false).ToRow();
        row["padding"] = new string('x', 30_000);
        for (var i = 0; i < 40; i++)
        {
            await _node.RowStore.CommitAsync(
                Namespace,
                (_, _) => Task.FromResult(Decision.Of(true, [new Change(row.Key, row)])),
                Stop
            );
        }

        await journal.ForwardAsync(Namespace, [], Stop);
        await SaysWhatRowsSayAsync();
        Assert.False(await _node.Storage.Catalog.GetBlobClient($"namespaces/{Namespace}/journal").ExistsAsync(Stop));
        await TagAsync(_node, "then");
        await journal.ForwardAsync(Namespace, [], Stop);
        await SaysWhatRowsSayAsync();
    }

    [Theory]
    [InlineData("journal")]
    [InlineData("checkpoint")]
    public async Task A_damaged_catalog_is_said_and_written_anew(string file)
    {
        await Writer(_node).FlushAsync(Stop);
        await TagAsync(_node, "more");
        await Writer(_node).FlushAsync(Stop);
        var blob = _node.Storage.Catalog.GetBlobClient($"namespaces/{Namespace}/{file}");
        var bytes = (await blob.DownloadContentAsync(Stop)).Value.Content.ToArray();
        bytes[bytes.Length - 20] ^= 1;
        await blob.UploadAsync(BinaryData.FromBytes(bytes), overwrite: true, Stop);

        if (file == "checkpoint")
        {
            var error = await Assert.ThrowsAsync<InvalidDataException>(SaysWhatRowsSayAsync);
            Assert.Contains($"namespaces/{Namespace}/checkpoint", error.Message, StringComparison.Ordinal);
        }

        await TagAsync(_node, "again");
        await _node.SweepAsync(TimeSpan.FromMinutes(1));
        await SaysWhatRowsSayAsync();
    }

    [Fact]
    public async Task A_table_that_an_older_copy_has_replaced_is_what_the_catalog_says_and_the_later_one_is_kept()
    {
        await Writer(_node).FlushAsync(Stop);
        var before = await _node.RowStore.RangeAsync(Namespace, new KeyRange("!", "~"), Stop);
        await TagAsync(_node, "later", "later2");
        await Writer(_node).FlushAsync(Stop);
        foreach (var row in await _node.RowStore.RangeAsync(Namespace, new KeyRange("!", "~"), Stop))
        {
            await _node.Storage.ImageTable.DeleteEntityAsync(Namespace, row.Key, cancellationToken: Stop);
        }

        foreach (var row in before)
        {
            await _node.Storage.ImageTable.AddEntityAsync(StoredTable.Entity(Namespace, row), Stop);
        }

        await using var fresh = new Node(_connection);
        await fresh.SweepAsync(TimeSpan.FromMinutes(1));
        await SaysWhatRowsSayAsync();
        Assert.NotEmpty(
            await _node
                .Storage.Catalog.GetBlobsAsync(
                    Azure.Storage.Blobs.Models.BlobTraits.None,
                    Azure.Storage.Blobs.Models.BlobStates.None,
                    $"replaced/{Namespace}/",
                    Stop
                )
                .ToListAsync(Stop)
        );
    }

    private static CatalogWriter Writer(Node node) => node.Services.GetRequiredService<CatalogWriter>();

    private async Task TagAsync(Node node, params string[] tags)
    {
        foreach (var tag in tags)
        {
            Assert.True(await node.Tagging.SetAsync(Node.Repository(Repo), tag, Node.Digest(_layout.FirstImage), Stop));
        }
    }

    private async Task SaysWhatRowsSayAsync()
    {
        var read = await new CatalogFiles(_node.Storage).ReadAsync(Namespace, Stop);
        var rows = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var kind in "ijt")
        {
            foreach (var row in await _node.RowStore.RangeAsync(Namespace, Keys.All(kind), Stop))
            {
                rows.Add(row.Key, CatalogRow.Of(row));
            }
        }

        Assert.NotEmpty(rows);
        Assert.Equal(rows.Keys, read!.State.Rows.Keys);
        Assert.All(rows, row => Equivalent(row.Value, read.State.Rows[row.Key]));
        Assert.Equal(await _node.Storage.ImageRows.VersionAsync(Namespace, Stop), read.State.Version);
    }

    // Tables give values back in another order.
    private static void Equivalent(string expected, string actual) =>
        Assert.Equal(
            RowText.Read("x", expected).Values.OrderBy(v => v.Key, StringComparer.Ordinal),
            RowText.Read("x", actual).Values.OrderBy(v => v.Key, StringComparer.Ordinal)
        );
}
