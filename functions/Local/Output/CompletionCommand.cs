using System.CommandLine;

namespace ImagesFunctions.Local;

/// <summary><c>completion</c>: the script by which a shell asks this program, by the directive <c>[suggest]</c>, for what may come next.</summary>
internal static class CompletionCommand
{
    private static readonly Dictionary<string, string> s_scripts = new(StringComparer.Ordinal)
    {
        ["bash"] = """
            # source <(images completion bash), in ~/.bashrc
            _images() {
              local skip=$((${#COMP_WORDS[0]} + 1)) IFS=$'\n'
              COMPREPLY=($(compgen -W "$(images "[suggest:$((COMP_POINT - skip))]" "${COMP_LINE:skip}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
            }
            complete -o default -F _images images
            """,
        ["zsh"] = """
            # source <(images completion zsh), in ~/.zshrc after compinit
            _images() {
              local line="${(j: :)words[2,CURRENT]}"
              local -a found=("${(@f)$(images "[suggest:${#line}]" "$line" 2>/dev/null)}")
              compadd -a found || _files
            }
            compdef _images images
            """,
        ["fish"] = """
            # images completion fish | source, in ~/.config/fish/config.fish
            function __images_words
                set -l line (string replace --regex '^\S+\s?' '' -- (commandline --current-process --cut-at-cursor))
                images "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null
            end
            complete --command images --arguments '(__images_words)'
            """,
    };

    public static Command Make(Terminal terminal)
    {
        var shell = new Argument<string>("shell") { Description = string.Join(", ", s_scripts.Keys) };
        shell.AcceptOnlyFromAmong([.. s_scripts.Keys]);
        var completion = Help.Examples(
            new Command("completion", "Writes the script that completes commands and options of the installed tool")
            {
                shell,
            },
            "completion bash",
            "completion fish"
        );
        completion.SetAction(
            async (parsed, _) =>
                await terminal.Output.WriteLineAsync(s_scripts[parsed.GetValue(shell)!].ReplaceLineEndings("\n"))
        );
        return completion;
    }
}
