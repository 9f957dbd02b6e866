using System.CommandLine;
using ImagesFunctions.Settings;
using Spectre.Console;

namespace ImagesFunctions.Local;

/// <summary>What a command shows at one moment.</summary>
/// <param name="WriteAsync">Writes it.</param>
/// <param name="Note">What is said about it on standard error; null: nothing.</param>
/// <param name="Code">An <see cref="ExitCode"/>.</param>
internal sealed record Shown(Func<TextWriter, Task> WriteAsync, string? Note = null, int Code = ExitCode.Done);

/// <summary>
/// The options <c>--watch</c> and <c>--every</c>: looks again and again until Ctrl+C, and shows what has changed; on a terminal in place of what was
/// there before.
/// </summary>
internal sealed class Watching
{
    // It is drawn from the top again, and nothing of the lines above is lost.
    private const string Clear = "\x1b[H\x1b[2J";

    private static readonly TimeSpan s_usual = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan s_shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_longest = TimeSpan.FromHours(1);

    private readonly Option<bool> _watch = new("--watch", "-w")
    {
        Description = "Look again until Ctrl+C, and show what has changed",
    };

    private readonly Option<string?> _every = new("--every")
    {
        Description = $"With --watch: how often, such as 10s or 5m (default: {s_usual.TotalSeconds:0}s)",
        HelpName = "time",
    };

    private readonly TimeProvider _time;

    /// <summary>Makes the options.</summary>
    /// <param name="time">By which it waits; null: the machine's.</param>
    public Watching(TimeProvider? time = null)
    {
        _time = time ?? TimeProvider.System;
        _every.Validators.Add(result =>
        {
            var given = result.GetValueOrDefault<string?>() ?? "";
            if (!Duration.TryParse(given, out var every) || every < s_shortest || every > s_longest)
            {
                result.AddError($"'{given}' is no time between 1s and 1h");
            }
            else if (!result.GetValue(_watch))
            {
                result.AddError("--every needs --watch");
            }
        });
    }

    /// <summary>Gives them to a command.</summary>
    public void AddTo(Command command)
    {
        command.Options.Add(_watch);
        command.Options.Add(_every);
    }

    /// <summary>Shows what there is, once, or until it is cancelled where that was asked for.</summary>
    /// <param name="terminal">Where to.</param>
    /// <param name="parsed">The command line.</param>
    /// <param name="lookAsync">Looks.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The exit code of what was shown last. That it is ended is no failure of a watch.</returns>
    public async Task<int> RunAsync(
        Terminal terminal,
        ParseResult parsed,
        Func<CancellationToken, Task<Shown>> lookAsync,
        CancellationToken cancellationToken
    )
    {
        var shown = await lookAsync(cancellationToken);
        var every = Duration.TryParse(parsed.GetValue(_every) ?? "", out var given) ? given : s_usual;
        for (var before = ""; ; )
        {
            var text = await TextOfAsync(shown);
            if (text != before)
            {
                await ShowAsync(terminal, shown, isFirst: before.Length == 0, parsed.GetValue(_watch));
                before = text;
            }

            if (!parsed.GetValue(_watch))
            {
                return shown.Code;
            }

            try
            {
                await Task.Delay(every, _time, cancellationToken);
                shown = await lookAsync(cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return shown.Code;
            }
            catch (Exception error)
            {
                // It may be better the next time: what is watched may be removed, and storage be away.
                shown = new Shown(_ => Task.CompletedTask, OneLine.Of(error), ExitCode.Failed);
            }
        }
    }

    private static async Task<string> TextOfAsync(Shown shown)
    {
        using var text = new StringWriter();
        await shown.WriteAsync(text);
        return $"{text}\n{shown.Note}";
    }

    private static async Task ShowAsync(Terminal terminal, Shown shown, bool isFirst, bool isWatched)
    {
        if (isWatched && Screen.IsTerminal(terminal.Output))
        {
            Screen.On(terminal.Output).Write(new ControlCode(Clear));
        }
        else if (!isFirst)
        {
            await terminal.Output.WriteLineAsync();
        }

        await shown.WriteAsync(terminal.Output);
        await terminal.Output.FlushAsync(CancellationToken.None);
        if (shown.Note is not null)
        {
            await terminal.Errors.WriteLineAsync(shown.Note);
        }
    }
}
