using System.CommandLine;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.Infra;

namespace ImagesFunctions.Tests.Local;

/// <summary>docs/tool.md says what <c>--help</c> says.</summary>
public sealed class ToolDocument
{
    [Fact]
    public async Task Is_made_of_the_help_of_all_commands()
    {
        var made = await ToolReference.WriteAsync();

        Assert.True(
            made == Repo.Read("docs/tool.md"),
            $"docs/tool.md is not current: dotnet run --project functions/Local -- reference > docs/tool.md"
        );
    }

    [Fact]
    public void Every_command_that_does_something_has_an_example_that_can_be_parsed()
    {
        var root = Commands.Root(TextWriter.Null, TextWriter.Null, TypedCommand.Tool);
        foreach (var command in All(root).Where(c => c.Action is not null && c is not RootCommand && !c.Hidden))
        {
            var examples = Help.ExamplesOf(command);
            Assert.True(examples.Count > 0, $"{command.Name} has no example");
            foreach (var example in examples)
            {
                var parsed = root.Parse(example.Split("  #")[0].Trim().Replace('\'', '"'));
                // Files that the examples name are not here.
                Assert.DoesNotContain(
                    parsed.Errors,
                    e => !e.Message.Contains("neither a folder nor a file", StringComparison.Ordinal)
                );
                Assert.Equal(command.Name, parsed.CommandResult.Command.Name);
            }
        }
    }

    private static IEnumerable<Command> All(Command command) => command.Subcommands.SelectMany(All).Prepend(command);
}
