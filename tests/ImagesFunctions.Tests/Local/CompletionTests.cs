using CliWrap;
using CliWrap.Buffered;
using ImagesFunctions.Local;
using ImagesFunctions.Tests.RealImages;

namespace ImagesFunctions.Tests.Local;

/// <summary>What a shell offers, by the script that the tool writes for it.</summary>
public sealed class CompletionTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("images tok", "token")]
    [InlineData("images token re", "revoke")]
    [InlineData("images ls demo --so", "--sort")]
    [InlineData("images ls demo --sort pu", "pushed")]
    [InlineData("images completion ", "bash fish zsh")]
    [InlineData("images token list demo --output js", "json")]
    [InlineData("images nothing-like-it x", "")]
    public async Task Bash_offers_commands_options_and_values(string typed, string offered)
    {
        var script = await ScriptAsync("bash");
        // What bash does when somebody presses Tab at the end of the line.
        var asks = $$"""
            images() { dotnet '{{typeof(Commands).Assembly.Location}}' "$@"; }
            {{script}}
            COMP_LINE='{{typed}}' COMP_POINT={{typed.Length}}
            read -ra COMP_WORDS <<<"$COMP_LINE"
            if [[ $COMP_LINE == *' ' ]]; then COMP_WORDS+=(''); fi
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            complete -p images >&2
            _images
            printf '%s\n' "${COMPREPLY[@]}"
            """;

        var said = await Cli.Wrap("bash").WithArguments(["-u", "-c", asks]).ExecuteBufferedAsync(Stop);

        Assert.Contains("-F _images images", said.StandardError, StringComparison.Ordinal);
        Assert.Equal(
            offered,
            string.Join(
                ' ',
                said.StandardOutput.Split('\n', StringSplitOptions.RemoveEmptyEntries)
                    .Where(word => !word.StartsWith('-') || typed.EndsWith("--so", StringComparison.Ordinal))
                    .Order(StringComparer.Ordinal)
            )
        );
    }

    [Fact]
    public async Task Zsh_offers_them_too()
    {
        await Tool.RunAsync("zsh", "--version");
        // Without its line editor: the function is given what it is given there.
        var asks = $$"""
            images() { dotnet '{{typeof(Commands).Assembly.Location}}' "$@" }
            compdef() { print -- "$2 by $1" }
            compadd() { print -l -- "${(P)2[@]}" }
            _files() { print files }
            {{await ScriptAsync("zsh")}}
            words=(images token re) CURRENT=3
            _images
            """;

        var said = await Cli.Wrap("zsh").WithArguments(["-f", "-c", asks]).ExecuteBufferedAsync(Stop);

        // zsh itself takes those that begin with what was typed.
        Assert.Equal("images by _images\nrevoke\ncreate\n", said.StandardOutput);
    }

    [Fact]
    public async Task Fish_offers_them_too()
    {
        await Tool.RunAsync("fish", "--version");
        var asks = $$"""
            function images; dotnet '{{typeof(Commands).Assembly.Location}}' $argv; end
            {{await ScriptAsync("fish")}}
            complete --do-complete 'images token re'
            """;

        var said = await Cli.Wrap("fish").WithArguments(["--no-config", "-c", asks]).ExecuteBufferedAsync(Stop);

        // Beside files.
        var offered = said.StandardOutput.Split('\n');
        Assert.Contains("revoke", offered);
        Assert.DoesNotContain("create", offered);
    }

    [Fact]
    public async Task Another_shell_is_wrong_usage()
    {
        var (output, errors) = (new StringWriter(), new StringWriter());

        Assert.Equal(2, await Commands.RunAsync(["completion", "csh"], output, errors, Stop));
        Assert.Contains("csh", errors.ToString(), StringComparison.Ordinal);
    }

    private static async Task<string> ScriptAsync(string shell)
    {
        var output = new StringWriter { NewLine = "\n" };
        Assert.Equal(0, await Commands.RunAsync(["completion", shell], output, TextWriter.Null, Stop));
        return output.ToString();
    }
}
