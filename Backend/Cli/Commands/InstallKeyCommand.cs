using System.Collections.Concurrent;
using System.CommandLine;
using Bootstrap.Cli.Api;
using Bootstrap.Cli.Fleet;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap install-key</c>: a public key into authorized_keys of many nodes, without an appliance.</summary>
internal static class InstallKeyCommand
{
    /// <summary>Adds the line $2 to authorized_keys unless the key $1 is there; says "added" or "present".</summary>
    private const string Add = """
        add() {
          cd && umask 077 && mkdir -p .ssh && chmod 700 .ssh && touch .ssh/authorized_keys && chmod 600 .ssh/authorized_keys || return
          if grep -v '^[[:space:]]*#' .ssh/authorized_keys | grep -qF -e "$1"; then echo present; return; fi
          if [ -n "$(tail -c 1 .ssh/authorized_keys)" ]; then echo >>.ssh/authorized_keys || return; fi
          printf '%s\n' "$2" >>.ssh/authorized_keys || return
          if command -v restorecon >/dev/null; then restorecon -F .ssh .ssh/authorized_keys; fi
          echo added
        }

        """;

    private static readonly string[] s_byPassword =
    [
        "-o", "BatchMode=no", "-o", "PubkeyAuthentication=no", "-o", "PasswordAuthentication=yes", "-o", "KbdInteractiveAuthentication=yes",
        "-o", "PreferredAuthentications=keyboard-interactive,password", "-o", "NumberOfPasswordPrompts=1",
    ];

    private static readonly Option<FileInfo?> s_key = new("--key")
    {
        Description = "The public key. Default: the first of id_ed25519.pub, id_ecdsa.pub and id_rsa.pub in ~/.ssh.",
        HelpName = "FILE.pub",
    };

    private static readonly Option<FileInfo?> s_passwordFile = new("--password-file")
    {
        Description = "The password for nodes that take no key yet: the first line of this file. Default: it is asked for, once, on the " +
            "terminal.",
        HelpName = "FILE",
    };

    public static Command Create() => FleetWork.Create(
        new Command("install-key",
            "Let an SSH key sign in on many nodes; needs no appliance. The key is added to the user's ~/.ssh/authorized_keys, where it " +
                "is not there " +
            "yet, and then tried: a node is ok only if that key signs in. Exit code 0 if it does on all nodes, else 1; 2 where there is " +
                "no node.") { s_key, s_passwordFile },
        timeoutSeconds: 60, parsed => null, InstallAsync);

    private static async Task<IReadOnlyList<NodeResult>> InstallAsync(FleetWork work, ParseResult parsed)
    {
        PublicKey key = PublicKey.Load(parsed.GetValue(s_key));
        string? password = parsed.GetValue(s_passwordFile) is { } file ? FirstLine(file) : null;

        var refused = new ConcurrentDictionary<Target, bool>();
        NodeResult[] results = await work.OnEachAsync(work.Targets.Nodes, async (target, stop) =>
        {
            if (await IsTakenAsync(work.Ssh, target, key, stop))
            {
                return new NodeEnd(Outcome.Ok, 0, "was there already");
            }
            RemoteExit added = await work.Ssh.ScriptAsync(target, Script(key), stop);
            if (added.LoginRefused)
            {
                refused[target] = true;
            }
            return await ConfirmAsync(work.Ssh, target, key, added, stop);
        });

        Target[] left = [.. work.Targets.Nodes.Where(refused.ContainsKey)];
        password ??= left.Length > 0 ? await AskAsync(left.Length, work.Interrupted) : null;
        if (left.Length == 0 || password is null)
        {
            return results;
        }
        using var askpass = new Askpass(password);
        NodeResult[] later = await work.OnEachAsync(left, async (target, stop) =>
            await ConfirmAsync(work.Ssh, target, key, await work.Ssh.ScriptAsync(target, Script(key), s_byPassword, askpass, stop), stop));
        return [.. work.Targets.Nodes.Zip(results).Where(pair => !refused.ContainsKey(pair.First)).Select(pair => pair.Second), .. later];
    }

    private static string Script(PublicKey key) => Add + Shell.Call("add", key.Body, key.Line);

    private static async Task<NodeEnd> ConfirmAsync(Ssh ssh, Target target, PublicKey key, RemoteExit added, CancellationToken stop) =>
        added.Code != 0 ? added.ToEnd(added.LastError)
        : await IsTakenAsync(ssh, target, key, stop)
            ? new NodeEnd(Outcome.Ok, 0, added.LastOutput == "present" ? "was there already" : "added")
        : new NodeEnd(Outcome.Failed, null,
            $"the key is in authorized_keys, and does not sign in ({key.Identity}): is its private key here, without " +
            "a passphrase or in an agent, and the home folder on the node writable by its owner alone?");

    /// <summary>True if this very key signs in, not another one that ssh also has.</summary>
    private static async Task<bool> IsTakenAsync(Ssh ssh, Target target, PublicKey key, CancellationToken stop)
    {
        string[] login = ["-o", "BatchMode=yes", "-o", "IdentitiesOnly=yes", "-o", "PreferredAuthentications=publickey", "-i",
            key.Identity];
        RemoteExit exit = await ssh.ScriptAsync(target, "", login, null, stop);
        return exit.Unreachable is null &&
            exit.Log.LastOrDefault(line => line.StartsWith("debug1: Server accepts key: ", StringComparison.Ordinal))?.Split(' ')
                .Contains(key.Fingerprint) == true;
    }

    private static string FirstLine(FileInfo file)
    {
        try
        {
            return File.ReadLines(file.FullName).FirstOrDefault("");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"the password in {file.FullName} cannot be read: {e.Message}", e) { ExitCode = 2 };
        }
    }

    /// <summary>Asks on the terminal, without showing what is typed; null where there is no terminal, or the user does not want
    /// to.</summary>
    private static async Task<string?> AskAsync(int nodes, CancellationToken interrupted)
    {
        if (Console.IsInputRedirected)
        {
            await Console.Error.WriteLineAsync(
                $"bootstrap: {nodes} of the nodes take no key yet: give --password-file, or run this in a terminal.");
            return null;
        }
        string question = $"Password for the {(nodes == 1 ? "node that takes" : $"{nodes} nodes that take")} no key yet";
        return await Task.Run(() => HiddenInput.Ask(question, interrupted), CancellationToken.None);
    }
}
