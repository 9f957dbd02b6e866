using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace ImagesFunctions.Local;

/// <summary><c>--help</c>: the parser's text with the command that people typed, and examples.</summary>
/// <param name="inner">Writes the parser's text.</param>
/// <param name="typed">What people type before the first argument.</param>
internal sealed class Help(HelpAction inner, string typed) : SynchronousCommandLineAction
{
    private const int Width = 120;

    private static readonly System.Runtime.CompilerServices.ConditionalWeakTable<Command, string[]> s_examples = [];

    /// <inheritdoc/>
    public override int Invoke(ParseResult parseResult)
    {
        var settings = parseResult.InvocationConfiguration;
        var output = settings.Output;
        var text = new StringWriter { NewLine = "\n" };
        settings.Output = text;
        inner.MaxWidth = Width;
        var code = inner.Invoke(parseResult);
        settings.Output = output;
        output.Write(Of(text.ToString(), parseResult.CommandResult.Command));
        return code;
    }

    /// <summary>Gives a command examples: its arguments, without the program.</summary>
    public static T Examples<T>(T command, params string[] examples)
        where T : Command
    {
        s_examples.AddOrUpdate(command, examples);
        return command;
    }

    /// <summary>The examples of a command.</summary>
    public static IReadOnlyList<string> ExamplesOf(Command command) =>
        s_examples.TryGetValue(command, out var found) ? found : [];

    /// <summary>Puts it in the place of the parser's own.</summary>
    public static void Install(RootCommand root, string typed)
    {
        foreach (var option in root.Options.OfType<HelpOption>())
        {
            option.Action = new Help((HelpAction)option.Action!, typed);
            // They could be folders, and completion would offer them.
            option.Aliases.Remove("/h");
            option.Aliases.Remove("/?");
        }
    }

    private string Of(string text, Command command)
    {
        var lines = text.TrimEnd()
            .Split('\n')
            .Select(line => line.TrimEnd())
            // The parser writes the name of the file that runs.
            .Select(line => line.Replace($"  {RootCommand.ExecutableName}", $"  {typed}", StringComparison.Ordinal));
        var found = ExamplesOf(command);
        var examples =
            found.Count > 0
                ? $"\n\nExamples:\n{string.Join('\n', found.Select(example => $"  {typed} {example}".TrimEnd()))}"
                : "";
        return string.Join('\n', lines) + examples + "\n";
    }
}
