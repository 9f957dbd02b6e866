using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using ImagesFunctions.Local;

namespace ImagesFunctions.Tests.Local;

/// <summary>The ports of a data folder that was named.</summary>
public sealed class FolderPortsTests : IDisposable
{
    private readonly TemporaryFolder _data = new();
    private readonly StringWriter _notes = new();

    public void Dispose()
    {
        _data.Dispose();
        _notes.Dispose();
    }

    [Fact]
    public void They_stay_the_same_and_are_outside_of_what_the_system_hands_out()
    {
        var first = Choose(_data);

        Assert.Equal(first, Choose(_data));
        Assert.All(Numbers(first), port => Assert.InRange(port, 20_000, 32_767));
        Assert.Equal("", _notes.ToString());
    }

    [Fact]
    public void Where_a_kept_one_is_taken_the_folder_does_not_move_and_one_line_says_how_it_would()
    {
        var kept = Choose(_data);
        using var other = new TcpListener(IPAddress.Loopback, kept.Table);
        other.Start();

        var error = Assert.Throws<LocalException>(() => Choose(_data));

        Assert.Contains(kept.Table.ToString(), error.Message, StringComparison.Ordinal);
        Assert.Contains(_data.File("ports.json"), error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', error.Message);
        File.Delete(_data.File("ports.json"));
        Assert.Empty(Numbers(kept).Intersect(Numbers(Choose(_data))));
    }

    [Fact]
    public void New_ones_that_were_taken_in_the_meantime_give_way_to_others_and_kept_ones_do_not()
    {
        var ports = new FolderPorts(_data.Path, _notes);
        var first = ports.Choose(1);

        var second = ports.Choose(2);

        Assert.NotEqual(first, second);
        Assert.Equal(second, Choose(_data));
        var kept = new FolderPorts(_data.Path, _notes);
        kept.Choose(1);
        Assert.Throws<LocalException>(() => kept.Choose(2));
    }

    [Fact]
    public void A_copy_of_a_folder_gets_its_own_and_a_folder_that_was_moved_keeps_them()
    {
        var ports = Choose(_data);
        using var copy = new TemporaryFolder();
        File.Copy(_data.File("ports.json"), copy.File("ports.json"));

        Assert.NotEqual(ports, Choose(copy));
        Assert.Contains("is a copy of", _notes.ToString(), StringComparison.Ordinal);

        using var moved = new TemporaryFolder();
        File.Move(_data.File("ports.json"), moved.File("ports.json"));
        Assert.Equal(ports, Choose(moved));
        Assert.Contains(moved.Path, File.ReadAllText(moved.File("ports.json")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("""{"blob": 10000, "queue": 20001, "table": 20002}""")]
    [InlineData("""{"blob": 20000, "queue": 20000, "table": 20002}""")]
    [InlineData("""{"blob": 20000, "queue": 20001, "table": 70000}""")]
    public void A_file_that_names_no_ports_of_its_own_is_replaced_and_that_is_said(string content)
    {
        File.WriteAllText(_data.File("ports.json"), content);

        var ports = Choose(_data);

        Assert.Equal(ports, Choose(_data));
        Assert.Single(_notes.ToString().TrimEnd().Split('\n'));
        var kept = JsonElement.Parse(File.ReadAllText(_data.File("ports.json")));
        Assert.Equal(ports.Blob, kept.GetProperty("blob").GetInt32());
    }

    private AzuritePorts Choose(TemporaryFolder folder) => new FolderPorts(folder.Path, _notes).Choose(1);

    private static int[] Numbers(AzuritePorts ports) => [ports.Blob, ports.Queue, ports.Table];
}
