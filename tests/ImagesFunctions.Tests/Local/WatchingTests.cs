using System.CommandLine;
using ImagesFunctions.Local;
using Microsoft.Extensions.Time.Testing;

namespace ImagesFunctions.Tests.Local;

/// <summary><c>--watch</c>: what has changed is shown, and Ctrl+C is no failure.</summary>
public sealed class WatchingTests : IDisposable
{
    private readonly FakeTimeProvider _time = new();
    private readonly StringWriter _output = new() { NewLine = "\n" };
    private readonly StringWriter _errors = new() { NewLine = "\n" };
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken
    );
    private readonly List<DateTimeOffset> _looks = [];

    public void Dispose()
    {
        _output.Dispose();
        _errors.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task It_shows_what_changes_and_ends_with_what_it_saw_last()
    {
        object[] seen = ["one", "one", new LocalException("storage is away"), "two"];
        var running = RunAsync(["--watch", "--every", "10s"], seen);

        await Until.TrueAsync(
            () =>
            {
                _time.Advance(TimeSpan.FromSeconds(1));
                return running.IsCompleted;
            },
            "that it ends"
        );

        Assert.Equal(ExitCode.NotWell, await running);
        Assert.Equal("one\n\n\ntwo\n", _output.ToString());
        Assert.Equal("storage is away\n", _errors.ToString());
        Assert.Equal(5, _looks.Count);
        Assert.All(
            _looks.Zip(_looks.Skip(1)),
            pair => Assert.True(pair.Second - pair.First >= TimeSpan.FromSeconds(10))
        );
    }

    [Fact]
    public async Task Without_it_there_is_one_look_and_an_error_is_one()
    {
        Assert.Equal(ExitCode.Done, await RunAsync([], "one", "two"));
        Assert.Equal("one\n", _output.ToString());
        _looks.Clear();

        await Assert.ThrowsAsync<LocalException>(() => RunAsync(["--watch"], new LocalException("no such image")));
    }

    [Theory]
    [InlineData("--watch --every 0s")]
    [InlineData("--watch --every 100ms")]
    [InlineData("--watch --every 2h")]
    [InlineData("--watch --every often")]
    [InlineData("--every 10s")]
    public void A_time_that_cannot_be_is_wrong_usage(string arguments)
    {
        var command = new Command("look");
        new Watching(_time).AddTo(command);

        Assert.Single(command.Parse(arguments).Errors);
    }

    // The last look is ended by Ctrl+C.
    private Task<int> RunAsync(string[] arguments, params object[] seen)
    {
        var watching = new Watching(_time);
        var command = new Command("look");
        watching.AddTo(command);
        var terminal = new Terminal(new Option<string?>("--data"), _output, _errors);
        return watching.RunAsync(
            terminal,
            command.Parse(arguments),
            stop =>
            {
                var look = _looks.Count;
                _looks.Add(_time.GetUtcNow());
                if (look == seen.Length)
                {
                    _stop.Cancel();
                    stop.ThrowIfCancellationRequested();
                }

                return seen[look] is Exception error
                    ? Task.FromException<Shown>(error)
                    : Task.FromResult(
                        new Shown(
                            output => output.WriteLineAsync((string)seen[look]),
                            Code: look == 0 ? ExitCode.Done : ExitCode.NotWell
                        )
                    );
            },
            _stop.Token
        );
    }
}
