using System.CommandLine;

namespace ImagesFunctions.Local;

/// <summary>The reference of all commands: their <c>--help</c>, one after the other, in Markdown.</summary>
internal static class ToolReference
{
    private const string Beginning = """
        # The tool

        For whoever runs `images`: all commands with their options, as `--help` says them. This file is made from that:
        `dotnet run --project functions/Local -- reference > docs/tool.md`.

        Without installing anything, `dotnet run --project functions/Local --` in a clone is the same as `images`. A command that needs a
        store uses the one that `ImagesStorage` names, else the Azurite of `--data`; `push`, `pull` and `copy` need a registry only.
        Standard output holds what was asked for, standard error everything else. Colours are for terminals, and `NO_COLOR` leaves them out.

        | exit code | |
        | --- | --- |
        | 0 | done; `status`, `doctor`: all is well |
        | 1 | failed, and one line says why |
        | 2 | called wrongly, and nothing was done |
        | 3 | `status`: something waits or was refused, or the account is unknown; `doctor`: something will not work |
        | 4 | `doctor`: nothing was found that will not work, but something could not be asked, and its row says why |


        """;

    /// <summary>The hidden command that writes it.</summary>
    public static Command Make(TextWriter output)
    {
        var command = new Command("reference", "Writes docs/tool.md") { Hidden = true };
        command.SetAction(async (_, _) => await output.WriteAsync(await WriteAsync()));
        return command;
    }

    /// <summary>Writes it.</summary>
    public static async Task<string> WriteAsync()
    {
        var text = new StringWriter { NewLine = "\n" };
        await text.WriteAsync(Beginning.ReplaceLineEndings("\n"));
        await WriteAsync(text, []);
        return text.ToString().TrimEnd() + "\n";
    }

    private static async Task WriteAsync(StringWriter text, IReadOnlyList<string> path)
    {
        var help = new StringWriter { NewLine = "\n" };
        var root = Commands.Root(help, TextWriter.Null, TypedCommand.Tool);
        var parsed = root.Parse([.. path, "--help"]);
        await parsed.InvokeAsync(new InvocationConfiguration { Output = help, Error = TextWriter.Null });
        var name = string.Join(' ', path.Prepend(TypedCommand.Tool));
        await text.WriteAsync($"## {name}\n\n```text\n{help.ToString().ReplaceLineEndings("\n").Trim()}\n```\n\n");
        foreach (var command in parsed.CommandResult.Command.Subcommands.Where(c => !c.Hidden))
        {
            await WriteAsync(text, [.. path, command.Name]);
        }
    }
}
