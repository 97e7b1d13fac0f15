using System.CommandLine;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap completion SHELL</c>: a script by which a shell completes commands, options and names.</summary>
internal static class CompletionCommand
{
    // All three ask this program itself, by System.CommandLine's directive [suggest:POSITION]. Names are data to the shell: compgen -W
    // would expand what is in them.
    private const string Bash = """
        _bootstrap() {
            local word="${COMP_WORDS[COMP_CWORD]}" name
            COMPREPLY=()
            while IFS= read -r name; do
                if [[ $name == "$word"* ]]; then COMPREPLY+=("$(printf '%q' "$name")"); fi
            done < <("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2>/dev/null)
        }
        complete -F _bootstrap bootstrap
        """;

    private const string Zsh = """
        #compdef bootstrap
        _bootstrap() {
            local -a found
            found=("${(@f)$("${words[1]}" "[suggest:$CURSOR]" "$BUFFER" 2>/dev/null)}")
            compadd -- $found
        }
        compdef _bootstrap bootstrap
        """;

    private const string Fish =
        """complete -c bootstrap -f -a '(set -l line (commandline -cp); """ +
        """bootstrap "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)'""";

    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        var command = new Command("completion",
            "Print a script that lets a shell complete commands and names: source <(bootstrap completion bash)") { shell };
        command.SetAction(parsed =>
        {
            Console.WriteLine(parsed.GetRequiredValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish });
            return 0;
        });
        return command;
    }
}
