using ImagesFunctions.Oci;
using ImagesFunctions.Tests.Faults;
using static ImagesFunctions.Tests.Sweep.SweptRepository;

namespace ImagesFunctions.Tests.Sweep;

/// <summary>That the log of a namespace is trimmed, and what that means for those who read on.</summary>
public sealed class LogIsSwept
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_log_is_trimmed_after_an_hour_and_who_reads_on_behind_the_gap_reads_the_rows()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        await using var other = new Node(connection);
        var layout = new Layout();
        var (one, two) = (layout.AddImage("one"), layout.AddImage("two"));
        await node.PutAsync(Repo, layout.Index(Layout.Tagged(one, "moves"), two));
        await node.StartAsync();
        // This one knows the version; then others commit, and what they did is trimmed.
        await other.Tagging.SetAsync(Node.Repository(Repo), "first", Node.Digest(Layout.Digest(one)), Stop);
        for (var i = 0; i < 130; i++)
        {
            await node.Tagging.SetAsync(Node.Repository(Repo), "moves", Node.Digest(Layout.Digest(one)), Stop);
        }

        Assert.Equal(0, (await node.SweepAsync(TimeSpan.FromMinutes(59)))[SweepKind.LogEntries]);
        Assert.InRange((await node.SweepAsync(TimeSpan.FromHours(1)))[SweepKind.LogEntries], 131, 200);
        Assert.Empty(await node.RowStore.RangeAsync(Namespace, Keys.All('c'), Stop));
        Assert.True(
            await other.Tagging.SetAsync(Node.Repository(Repo), "moves", Node.Digest(Layout.Digest(two)), Stop)
        );

        string[] expected = [$"web@{Layout.Digest(one)} first", $"web@{Layout.Digest(two)} moves"];
        Assert.Equal(expected.Order(StringComparer.Ordinal), await node.ListedAsync(Namespace));
        Assert.Equal(expected.Order(StringComparer.Ordinal), await other.ListedAsync(Namespace));
    }

    [Fact]
    public async Task A_list_that_was_read_while_the_log_was_trimmed_is_read_again()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        await using var other = new Node(connection);
        var layout = Layout.Small("one", "latest");
        await node.PutAsync(Repo, layout);
        await node.StartAsync();
        var done = false;
        // Between the rows and the second look at the version: the tag row was read without the new one.
        node.Calls.After = async (_, message) =>
        {
            if (
                !done
                && Uri.UnescapeDataString(message.Request.Uri.ToString()).Contains("ge 't!'", StringComparison.Ordinal)
            )
            {
                done = true;
                await other.Tagging.SetAsync(Node.Repository(Repo), "new", Node.Digest(layout.FirstImage), Stop);
                await other.SweepAsync(TwoDays);
            }
        };

        Assert.Equal([$"web@{layout.FirstImage} latest new"], await node.ListedAsync(Namespace));
        Assert.True(done);
    }

    [Fact]
    public async Task A_commit_whose_log_entry_was_trimmed_before_its_lost_answer_is_not_made_twice()
    {
        var connection = await Storages.NewWithTablesAsync();
        await using var node = new Node(connection);
        await using var other = new Node(connection);
        var lost = false;
        node.Calls.After = async (_, message) =>
        {
            if (!lost && message.Request.Uri.ToString().Contains("batch", StringComparison.Ordinal))
            {
                lost = true;
                await other.SweepAsync(TwoDays);
                throw new IOException("The connection was cut.");
            }
        };
        var decided = 0;

        await Assert.ThrowsAsync<StorageUnavailableException>(() =>
            node.RowStore.CommitAsync(
                Namespace,
                (view, _) => Task.FromResult(Decision.Of(++decided, [new Change("j!web", new TableRow("j!web"))])),
                Stop
            )
        );

        Assert.Equal(1, decided);
        Assert.Equal(1, (await node.Storage.ImageRows.VersionAsync(Namespace, Stop)).Seq);
    }
}
