using System.Net;
using System.Security.Cryptography;
using Azure;
using Azure.Data.Tables;
using ImagesFunctions.Tests.Registry;

namespace ImagesFunctions.Tests.Faults;

/// <summary>
/// Tables are replaced by an older copy of themselves while processes go on that remember what came after it. Nothing of that is
/// listed or decided upon any more, however far the copy has gone on meanwhile.
/// </summary>
public sealed class RestoredBackup : IAsyncLifetime
{
    private const string Name = "alice";
    private const string Repo = "alice/web";

    private readonly Layout _image = Layout.Small("one", "v1");
    private readonly List<TableEntity> _backup = [];
    private Node _writer = null!;
    private Node _reader = null!;
    private Node _other = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _writer = new Node(await Storages.NewWithTablesAsync());
        _reader = new Node(_writer.Connection);
        _other = new Node(_writer.Connection);
        await _writer.PutAsync(Repo, _image);
        await _writer.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _writer.DisposeAsync();
        await _reader.DisposeAsync();
        await _other.DisposeAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task What_was_kept_is_not_listed(int commitsSince)
    {
        await BackUpAsync();
        await TagAsync(_writer, "lost1");
        await TagAsync(_writer, "lost2");
        Assert.Contains("lost2", Assert.Single(await _reader.ListedAsync(Name)), StringComparison.Ordinal);
        await RestoreAsync(all: true);
        for (var i = 0; i < commitsSince; i++)
        {
            await TagAsync(_other, $"new{i}");
        }

        await AllListAsync(["v1", .. Enumerable.Range(0, commitsSince).Select(i => $"new{i}")]);
        // As before, at the cost of before.
        await TagAsync(_other, "later");
        var before = _reader.Calls.Count;
        await _reader.ListedAsync(Name);
        Assert.Equal(2, _reader.Calls.Count - before);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Who_remembers_later_commits_decides_by_what_is_there(int commitsSince)
    {
        await BackUpAsync();
        await TagAsync(_writer, "lost1");
        await TagAsync(_writer, "lost2");
        await RestoreAsync(all: true);
        for (var i = 0; i < commitsSince; i++)
        {
            await TagAsync(_other, $"new{i}");
        }

        Assert.False(await _writer.Removal.TagAsync(Node.Repository(Repo), "lost1", Stop));
        await Task.WhenAll(Enumerable.Range(0, 5).Select(i => TagAsync(_writer, $"own{i}")));

        await AllListAsync([
            "v1",
            .. Enumerable.Range(0, commitsSince).Select(i => $"new{i}"),
            .. Enumerable.Range(0, 5).Select(i => $"own{i}"),
        ]);
    }

    /// <summary>Its rows were read before, and are written after.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task A_decision_that_was_under_way_is_made_again(int commitsSince)
    {
        var second = Layout.Small("two");
        await BackUpAsync();
        await _writer.PutAsync(Repo, second);
        await TagAsync(_writer, "lost");
        await _writer.LandAsync(second.Files.Keys.Where(f => f != "index.json").Select(f => $"{Repo}/{f}"));
        await _writer.LandAsync([$"{Repo}/index.json"]);
        Assert.Equal(2, (await _writer.ListedAsync(Name)).Length);
        _writer.Calls.Before = async (_, message) =>
        {
            if (message.Request.Uri.Path.EndsWith("$batch", StringComparison.Ordinal))
            {
                _writer.Calls.Before = (_, _) => ValueTask.CompletedTask;
                await RestoreAsync(all: true);
                for (var i = 0; i < commitsSince; i++)
                {
                    await TagAsync(_other, $"new{i}");
                }
            }
        };

        var set = await _writer.Tagging.SetAsync(Node.Repository(Repo), "of-two", Node.Digest(second.FirstImage), Stop);

        Assert.False(set);
        await AllListAsync(["v1", .. Enumerable.Range(0, commitsSince).Select(i => $"new{i}")]);
    }

    /// <summary>A copy that was only written over the rows: what came after it is still among them.</summary>
    [Fact]
    public async Task Entries_that_came_after_the_copy_are_in_nobodys_way()
    {
        await BackUpAsync();
        await TagAsync(_writer, "lost1");
        await TagAsync(_writer, "lost2");
        await TagAsync(_writer, "lost3");
        await _reader.ListedAsync(Name);
        await RestoreAsync(all: false);

        for (var i = 0; i < 5; i++)
        {
            await TagAsync(i % 2 == 0 ? _writer : _other, $"new{i}");
            Assert.Equal(await FreshAsync(), await _reader.ListedAsync(Name));
        }
    }

    [Fact]
    public async Task A_session_goes_on_where_the_copy_says_that_it_stands()
    {
        var registry = new NodeRegistry(_writer, Name, await NodeRegistry.TokenAsync(_other, Name));
        var bytes = RandomNumberGenerator.GetBytes(30);
        var session = (await registry.SendAsync("POST", $"/v2/{Repo}/blobs/uploads/"))["Location"]!;
        Assert.Equal("0-9", (await registry.SendAsync("PATCH", session, bytes[..10]))["Range"]);
        await BackUpAsync();
        Assert.Equal("0-19", (await registry.SendAsync("PATCH", session, bytes[10..20]))["Range"]);
        await RestoreAsync(all: true);

        Assert.Equal("0-9", (await registry.SendAsync("GET", session))["Range"]);
        var late = await registry.SendAsync("PATCH", session, bytes[20..], headers: ("Content-Range", "20-29"));
        Assert.Equal(HttpStatusCode.RequestedRangeNotSatisfiable, late.Status);
        Assert.Equal("0-29", (await registry.SendAsync("PATCH", session, bytes[10..]))["Range"]);
        var put = await registry.SendAsync("PUT", $"{session}?digest={Layout.DigestOf(bytes)}");
        Assert.Equal(HttpStatusCode.Created, put.Status);
        Assert.Equal(bytes, (await registry.SendAsync("GET", $"/v2/{Repo}/blobs/{Layout.DigestOf(bytes)}")).Bytes);
    }

    private async Task AllListAsync(IEnumerable<string> tags)
    {
        var line = $"web@{_image.FirstImage} {string.Join(' ', tags.Order(StringComparer.Ordinal))}";
        Assert.Equal([line], await FreshAsync());
        foreach (var node in (Node[])[_reader, _writer, _other])
        {
            Assert.Equal([line], await node.ListedAsync(Name));
        }

        await using var fresh = new Node(_writer.Connection);
        await Invariants.HoldAsync(fresh, Name);
    }

    private async Task<string[]> FreshAsync()
    {
        await using var fresh = new Node(_writer.Connection);
        return await fresh.ListedAsync(Name);
    }

    private Task<bool> TagAsync(Node node, string tag) =>
        node.Tagging.SetAsync(Node.Repository(Repo), tag, Node.Digest(_image.FirstImage), Stop);

    private async Task BackUpAsync()
    {
        await foreach (var row in RowsAsync())
        {
            _backup.Add(row);
        }
    }

    private async Task RestoreAsync(bool all)
    {
        await foreach (var row in RowsAsync())
        {
            if (all)
            {
                await _other.Storage.ImageTable.DeleteEntityAsync(Name, row.RowKey, ETag.All, Stop);
            }
        }

        foreach (var row in _backup)
        {
            await _other.Storage.ImageTable.UpsertEntityAsync(row, TableUpdateMode.Replace, Stop);
        }
    }

    private AsyncPageable<TableEntity> RowsAsync() =>
        _other.Storage.ImageTable.QueryAsync<TableEntity>(row => row.PartitionKey == Name, cancellationToken: Stop);
}
