using Spectre.Console;

namespace ImagesFunctions.Local;

/// <summary>Where people read: colours and the width of lines are those of a terminal, or none.</summary>
internal static class Screen
{
    /// <summary>Whether a writer is a terminal's. <c>NO_COLOR</c> does not change that.</summary>
    public static bool IsTerminal(TextWriter writer) =>
        (ReferenceEquals(writer, Console.Out) && !Console.IsOutputRedirected)
        || (ReferenceEquals(writer, Console.Error) && !Console.IsErrorRedirected);

    /// <summary>Whether somebody can be asked.</summary>
    public static bool CanAsk(TextWriter errors) => IsTerminal(errors) && !Console.IsInputRedirected;

    /// <summary>A console on a writer: plain text in lines of any length, where it is no terminal.</summary>
    public static IAnsiConsole On(TextWriter writer)
    {
        var isTerminal = IsTerminal(writer);
        var isColoured = isTerminal && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Ansi = isTerminal ? AnsiSupport.Detect : AnsiSupport.No,
                ColorSystem = isColoured ? ColorSystemSupport.Detect : ColorSystemSupport.NoColors,
                Interactive = isTerminal ? InteractionSupport.Detect : InteractionSupport.No,
                Out = new AnsiConsoleOutput(writer),
            }
        );
        if (!isTerminal)
        {
            console.Profile.Width = 100_000;
        }

        return console;
    }

    /// <summary>Writes a table: bold headings, and no lines around cells.</summary>
    public static void WriteTable(
        TextWriter writer,
        IReadOnlyList<(string Heading, bool IsNumber)> columns,
        IEnumerable<IReadOnlyList<string>> rows
    )
    {
        var table = new Table { Border = TableBorder.None };
        foreach (var (heading, isNumber) in columns)
        {
            var column = new TableColumn(new Markup($"[bold]{Markup.Escape(heading.ToUpperInvariant())}[/]"))
            {
                Alignment = isNumber ? Justify.Right : Justify.Left,
                Padding = new Padding(0, 0, 2, 0),
            };
            table.AddColumn(column);
        }

        foreach (var row in rows)
        {
            table.AddRow(row.Select(text => new Text(Visible(text))).ToArray<Spectre.Console.Rendering.IRenderable>());
        }

        if (IsTerminal(writer))
        {
            On(writer).Write(table);
            return;
        }

        // Cells are filled up with blanks, which are none of their text.
        var text = new StringWriter();
        On(text).Write(table);
        foreach (var line in text.ToString().TrimEnd().Split('\n'))
        {
            writer.WriteLine(line.TrimEnd());
        }
    }

    /// <summary>A text that others have written, such as a label: what moves a terminal's cursor is shown and not done.</summary>
    public static string Visible(string text) =>
        text.Any(char.IsControl)
            ? string.Concat(text.Select(c => char.IsControl(c) ? $"\\x{(int)c:x2}" : c.ToString()))
            : text;
}
