using System.CommandLine;
using System.Security.Cryptography;
using Bootstrap.Cli.Fleet;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap scp</c>: files to many nodes by SSH, without an appliance.</summary>
internal static class ScpCommand
{
    /// <summary>
    /// Says "folder" if the destination ($1) is one, else "name" if its parent ($2) is, and makes the temporary folder ($3) in it.
    /// $4 is "folder" where the destination must be one.
    /// </summary>
    private const string Prepare = """
        prepare() {
          if [ -d "$1" ]; then mkdir -m 700 "${1%/}/$3" && echo folder
          elif [ "$4" = folder ]; then echo "$1 is not a folder on the node" >&2; return 1
          elif [ -d "$2" ]; then mkdir -m 700 "${2%/}/$3" && echo name
          else echo "$2 is not a folder on the node" >&2; return 1
          fi
        }

        """;

    /// <summary>Renames $1 to $2; what is in a folder goes into the folder of that name, if there is one.</summary>
    private const string Put = """
        put() {
          if [ -d "$1" ] && [ ! -L "$1" ] && [ -d "$2" ]; then
            for found in "$1"/* "$1"/.[!.]* "$1"/..?*; do
              if [ -e "$found" ] || [ -L "$found" ]; then put "$found" "$2/${found##*/}" || return; fi
            done
            rmdir "$1"
          elif [ -d "$2" ]; then echo "$2 is a folder on the node" >&2; return 1
          else mv -f "$1" "$2"
          fi
        }
        set -e

        """;

    private static readonly TimeSpan s_tidying = TimeSpan.FromSeconds(10);

    private static readonly Argument<string[]> s_paths =
        new("files") { Description = "FILE… DEST: files of this machine, and a path on the nodes.", Arity = new ArgumentArity(2, 100_000) };
    private static readonly Option<bool> s_recursive = new("--recursive") { Description = "Copy folders with all that is in them." };
    private static readonly Option<bool> s_preserve = new("--preserve") { Description = "Keep times and modes." };

    public static Command Create() => FleetWork.Create(
        new Command("scp",
            "Copy files to many nodes by SSH; needs no appliance. Each file is first copied into a folder .bootstrap-scp-… beside its " +
                "place, and then " +
            "renamed: no file that was cut off stands under its name, and one that was there is replaced as a whole. If the connection " +
                "is lost or you interrupt it, that folder " +
            "stays on the node; it may be removed. DEST is a folder that exists, or the new name of one FILE; a path without / begins at " +
                "the " +
            "user's home. Exit code 0 if all nodes have all files, else 1; 2 where there is no node.") { s_paths, s_recursive, s_preserve },
        timeoutSeconds: 0, parsed => Fault(parsed.GetRequiredValue(s_paths), parsed.GetValue(s_recursive)), CopyAsync);

    private static async Task<IReadOnlyList<NodeResult>> CopyAsync(FleetWork work, ParseResult parsed)
    {
        string[] paths = parsed.GetRequiredValue(s_paths);
        var copy = new Copy([.. paths[..^1].Select(Source)], paths[^1], parsed.GetValue(s_recursive), parsed.GetValue(s_preserve));
        return await work.OnEachAsync(work.Targets.Nodes, (target, stop) => CopyAsync(work, target, copy, stop));
    }

    private static async Task<NodeEnd> CopyAsync(FleetWork work, Target target, Copy copy, CancellationToken stop)
    {
        string temporary = $".bootstrap-scp-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";
        RemoteExit prepared = await work.Ssh.ScriptAsync(
            target, Prepare + Shell.Call("prepare", copy.Destination, copy.Parent, temporary, copy.MustBeFolder ? "folder" : "any"), stop);
        if (prepared.Code != 0)
        {
            return prepared.ToEnd(prepared.LastError);
        }
        string folder = prepared.LastOutput == "folder" ? copy.Destination : copy.Parent;
        temporary = $"{folder.TrimEnd('/')}/{temporary}";
        NodeEnd end;
        try
        {
            ClientExit copied = await work.Ssh.CopyAsync(target, copy.Files, temporary, copy.Recursive, copy.Preserve, stop);
            if (copied.Code == 0)
            {
                RemoteExit placed = await work.Ssh.ScriptAsync(target, Put +
                    string.Concat(copy.Files.Select(Path.GetFileName).Select(name => Shell.Call("put", $"{temporary}/{name}",
                        prepared.LastOutput == "folder" ? $"{folder.TrimEnd('/')}/{name}"
                            : copy.Destination))) + Shell.Call("rmdir", temporary), stop);
                if (placed.Code == 0)
                {
                    return placed.ToEnd();
                }
                end = placed.ToEnd(placed.LastError);
            }
            else
            {
                end = new NodeEnd(Outcome.Failed, copied.Code, string.Join("; ", copied.LastErrors));
            }
        }
        catch (OperationCanceledException) when (!work.Interrupted.IsCancellationRequested)
        {
            await TidyAsync(work, target, temporary);
            throw;
        }
        // scp does not tell a refusal from a connection that was lost; whether the node is still there does.
        return await TidyAsync(work, target, temporary) ? end
            : new NodeEnd(Outcome.Unreachable, null, $"{end.Detail}; {temporary} is left on the node");
    }

    /// <summary>Removes what was copied and not put into place; false if the node cannot be reached.</summary>
    private static async Task<bool> TidyAsync(FleetWork work, Target target, string temporary)
    {
        using var limit = new CancellationTokenSource(s_tidying, TimeProvider.System);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, work.Interrupted);
        try
        {
            return (await work.Ssh.ScriptAsync(target, Shell.Call("rm", "-rf", temporary), stop.Token)).Code == 0;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static string? Fault(string[] paths, bool recursive)
    {
        string destination = paths[^1];
        string[] files = [.. paths[..^1].Select(Source)];
        return files.FirstOrDefault(f => !Path.Exists(f)) is { } missing ? $"there is no file {missing}"
            : !recursive && files.FirstOrDefault(Directory.Exists) is { } folder
                ? $"{folder} is a folder: give --recursive to copy it with all that is in it"
            : files.GroupBy(Path.GetFileName).FirstOrDefault(g => g.Count() > 1) is { } twins
                ? $"two files are called {twins.Key}: only one of them can have that name on the nodes"
            : files.FirstOrDefault(f => Path.GetFileName(f).Length == 0) is not null ? "/ cannot be copied: name what is in it"
            : destination.Length == 0 ? "DEST is empty: write . for the user's home"
            : destination[0] == '~' && destination is not "~" && !destination.StartsWith("~/", StringComparison.Ordinal)
                ? $"{destination} begins with another user's home: write its path" : null;
    }

    private static string Source(string path) => Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));

    /// <summary>What is copied where.</summary>
    /// <param name="Files">Absolute paths.</param>
    private sealed record Copy(IReadOnlyList<string> Files, string Given, bool Recursive, bool Preserve)
    {
        /// <summary>As shells and SFTP read it alike: absolute, or from the user's home on, where both begin.</summary>
        public string Destination { get; } =
            Given is "~" ? "." : Given.StartsWith("~/", StringComparison.Ordinal) ? $"./{Given[2..]}" : Given[0] == '/' ? Given
                : $"./{Given}";

        public string Parent => Destination.LastIndexOf('/') is > 0 and var slash ? Destination[..slash] : Destination[0] == '/' ? "/"
            : ".";

        public bool MustBeFolder => Files.Count > 1 || Destination.EndsWith('/');
    }
}
