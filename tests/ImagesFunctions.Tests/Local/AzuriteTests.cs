using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ImagesFunctions.Local;

namespace ImagesFunctions.Tests.Local;

[TakesLong(seconds: 30)]
public sealed class AzuriteTests : IDisposable
{
    private readonly TemporaryFolder _data = new();
    private readonly AzuritePorts _standard = AzuritePorts.Free();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _data.Dispose();

    [Fact]
    public async Task One_in_memory_answers_and_leaves_nothing_behind()
    {
        var azurite = await Azurite.StartAsync(inMemory: true, cancellationToken: Cancellation);
        Assert.NotNull(await azurite.Ports.AnswerAsync(Cancellation));
        Assert.Contains($"BlobEndpoint={azurite.BlobEndpoint};", azurite.ConnectionString, StringComparison.Ordinal);

        await azurite.DisposeAsync();

        Assert.Null(await azurite.Ports.AnswerAsync(Cancellation));
        await GoneAsync(azurite.ProcessId);
    }

    [Fact]
    public async Task One_in_memory_does_not_end_with_a_garbage_collection()
    {
        // Its life hangs on a pipe, and the pipe on an object.
        await using var azurite = await Azurite.StartAsync(inMemory: true, cancellationToken: Cancellation);
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        for (var i = 0; i < 20; i++)
        {
            Assert.NotNull(await azurite.Ports.AnswerAsync(Cancellation));
        }
    }

    [Fact]
    public async Task The_standard_ports_are_taken_when_they_are_free_and_the_address_is_written_down()
    {
        await using var azurite = await StartAsync();

        Assert.Equal(_standard, azurite.Ports);
        var file = Address(_data);
        Assert.Equal(azurite.ProcessId, file.GetProperty("pid").GetInt32());
        Assert.Equal(azurite.ConnectionString, file.GetProperty("connectionString").GetString());
    }

    [Fact]
    public async Task Other_ports_are_taken_when_a_standard_one_belongs_to_something_else()
    {
        using var other = new TcpListener(IPAddress.Loopback, _standard.Table);
        other.Start();
        var notes = new StringWriter();

        await using var azurite = await Azurite.StartSharedAsync(_data.Path, _standard, notes, Cancellation);

        Assert.NotEqual(_standard.Table, azurite.Ports.Table);
        Assert.NotNull(await azurite.Ports.AnswerAsync(Cancellation));
        Assert.Contains("taken", notes.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_that_listens_on_the_standard_ports_already_is_used_and_lives_on()
    {
        await using var theirs = await Azurite.StartAsync(inMemory: true, cancellationToken: Cancellation);

        var azurite = await Azurite.StartSharedAsync(_data.Path, theirs.Ports, TextWriter.Null, Cancellation);
        Assert.Equal(theirs.ConnectionString, azurite.ConnectionString);
        Assert.Null(azurite.ProcessId);
        await azurite.DisposeAsync();

        Assert.NotNull(await theirs.Ports.AnswerAsync(Cancellation));
        Assert.False(File.Exists(_data.File("azurite.json")));
    }

    [Fact]
    public async Task Starts_at_once_share_one_and_the_last_to_leave_ends_it()
    {
        var all = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => StartAsync()));
        var id = Assert.Single(all.Select(azurite => azurite.ProcessId).Distinct());

        foreach (var azurite in all[1..])
        {
            await azurite.DisposeAsync();
            Assert.True(IsRunning(id));
        }

        await all[0].DisposeAsync();
        await GoneAsync(id);
        Assert.False(File.Exists(_data.File("azurite.json")));
    }

    [Fact]
    public async Task One_left_behind_by_a_kill_is_adopted_and_ended()
    {
        // What a kill leaves: a process, its address, and nobody who holds the lock. Here in another folder.
        await using var first = await StartAsync();
        using var left = new TemporaryFolder();
        var text = await File.ReadAllTextAsync(_data.File("azurite.json"), Cancellation);
        await File.WriteAllTextAsync(
            left.File("azurite.json"),
            text.Replace(_data.Path, left.Path, StringComparison.Ordinal),
            Cancellation
        );
        File.Copy(_data.File("azurite.log"), left.File("azurite.log"));

        var adopted = await Azurite.StartSharedAsync(left.Path, _standard, TextWriter.Null, Cancellation);
        Assert.Equal(first.ProcessId, adopted.ProcessId);
        await adopted.DisposeAsync();

        await GoneAsync(first.ProcessId);
    }

    [Fact]
    public async Task A_process_that_only_got_the_same_id_is_neither_used_nor_ended()
    {
        await using var before = await StartAsync();
        using var folder = new TemporaryFolder();
        var text = await File.ReadAllTextAsync(_data.File("azurite.json"), Cancellation);
        // This test's own process, which began at another time.
        text = text.Replace(
            $"\"pid\": {before.ProcessId}",
            $"\"pid\": {Environment.ProcessId}",
            StringComparison.Ordinal
        );
        await File.WriteAllTextAsync(folder.File("azurite.json"), text, Cancellation);

        await using var azurite = await Azurite.StartSharedAsync(
            folder.Path,
            AzuritePorts.Free(),
            TextWriter.Null,
            Cancellation
        );

        Assert.NotEqual(Environment.ProcessId, azurite.ProcessId);
        Assert.NotEqual(before.Ports, azurite.Ports);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    public async Task An_unreadable_address_file_is_as_good_as_none(string content)
    {
        await File.WriteAllTextAsync(_data.File("azurite.json"), content, Cancellation);

        await using var azurite = await StartAsync();

        Assert.Equal(azurite.ProcessId, Address(_data).GetProperty("pid").GetInt32());
    }

    [Fact]
    public async Task An_answer_of_another_one_on_its_port_is_not_taken_for_its_own()
    {
        await using var other = await StartAsync();
        using var folder = new TemporaryFolder();

        // The other one takes the ports after they were found to be free.
        var started = await AzuriteLaunch.RunAsync(
            folder.Path,
            attempt => attempt == 1 ? other.Ports : AzuritePorts.Free(),
            inMemory: true,
            TextWriter.Null,
            Cancellation
        );

        await started.KillAsync();
        Assert.NotEqual(other.Ports, started.Ports);
    }

    [Fact]
    public async Task One_that_was_killed_is_started_again()
    {
        var first = await StartAsync();
        using (var process = Process.GetProcessById(first.ProcessId!.Value))
        {
            process.Kill();
            await process.WaitForExitAsync(Cancellation);
        }

        var second = await StartAsync();
        Assert.NotEqual(first.ProcessId, second.ProcessId);
        Assert.NotNull(await second.Ports.AnswerAsync(Cancellation));

        // The last to leave is the one that never used the second.
        await second.DisposeAsync();
        Assert.True(IsRunning(second.ProcessId));
        await first.DisposeAsync();
        await GoneAsync(second.ProcessId);
    }

    private Task<Azurite> StartAsync() =>
        Azurite.StartSharedAsync(_data.Path, _standard, TextWriter.Null, Cancellation);

    private static JsonElement Address(TemporaryFolder folder) =>
        JsonElement.Parse(File.ReadAllText(folder.File("azurite.json")));

    // An ended child is a zombie until the runtime has collected it.
    private static Task GoneAsync(int? id) => Until.TrueAsync(() => !IsRunning(id), $"the end of process {id}");

    private static bool IsRunning(int? id)
    {
        try
        {
            using var process = Process.GetProcessById(id!.Value);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
