using System.CommandLine;
using Bootstrap.Cli.Fleet;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap run</c>: a command on many nodes by SSH, without an appliance.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var words = new Argument<string[]>("command")
        {
            Description = "After --. The words go to the node's shell joined by spaces, as with ssh: quote twice what is not for it ('ls " +
                "\"a b\"').",
            Arity = ArgumentArity.OneOrMore,
        };
        var raw = new Option<bool>("--raw")
        {
            Description = "Pass bytes on as they are. Default: control characters, by which output " +
            "could rule a terminal, are shown as U+FFFD."
        };
        return FleetWork.Create(
            new Command("run",
                "Run a command on many nodes by SSH; needs no appliance. Output comes line by line, after the node's name, on the stream " +
                    "it was written to, up to 10 MiB of each node. Exit code 0 if it succeeded on all nodes, else 1; 2 where there is no " +
                    "node.") { words, raw },
            timeoutSeconds: 60,
            parsed => null,
            async (work, parsed) =>
            {
                string command = string.Join(' ', parsed.GetRequiredValue(words));
                bool json = parsed.GetValue(ClientCommand.Json);
                return await work.OnEachAsync(work.Targets.Nodes, async (target, stop) =>
                {
                    var output = new NodeOutput(target.Name, json, parsed.GetValue(raw));
                    NodeEnd end = (await work.Ssh.RunAsync(target, command, output.Write, stop)).ToEnd();
                    return output.Cut && end.Detail.Length == 0 ? end with { Detail = "output cut after 10 MiB" } : end;
                });
            });
    }
}
