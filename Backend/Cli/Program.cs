using System.CommandLine;
using System.CommandLine.Invocation;
using Bootstrap.Cli;
using Bootstrap.Cli.Commands;
using Bootstrap.Cli.Fleet;

if (Askpass.Answer(args) is { } answered)
{
    return answered;
}

PlainWriter.Install();
var root = new RootCommand("Bootstrap: network boot and provisioning for clusters of Raspberry Pi and other boards.")
{
    ServeCommand.Create(),
    LoginCommand.Create(),
    NodeCommands.Create(),
    ImageCommands.Create(),
    JobCommands.Create(),
    FileCommands.Create(),
    ScheduleCommands.Create(),
    ProfileCommands.Create(),
    AlertCommands.Create(),
    BenchCommands.Create(),
    NotificationCommands.Create(),
    BootCommands.Create(),
    DhcpCommands.Create(),
    FlashCommand.Create(),
    SettingsCommands.CreatePolicy(),
    TopCommand.Create(),
    PrometheusCommands.Create(),
    DiscoverCommand.Create(),
    RunCommand.Create(),
    ScpCommand.Create(),
    InstallKeyCommand.Create(),
    BackupCommands.Create(),
    BackupCommands.CreateKept(),
    RestoreCommand.Create(),
    AccessCommands.CreateUsers(),
    AccessCommands.CreateTokens(),
    AccessCommands.CreateAudit(),
    AccessCommands.CreateSignIn(),
    CompletionCommand.Create(),
};
foreach (Command order in JobCommands.CreateOrders())
{
    root.Add(order);
}
root.Add(ClientCommand.Json);
ParseResult parsed = root.Parse(args, CommandLineRules.Parser);
// In a list of commands each has its first sentence; the rest is in its own help.
foreach (Command listed in parsed.CommandResult.Command.Subcommands)
{
    listed.Description = listed.Description?.Split(". ") is [{ } first, _, ..] ? first + "." : listed.Description;
}
// The appliance stops by itself, and takes the time that this needs.
bool isServing = parsed.CommandResult.Command.Name == ServeCommand.Name;
int code = await parsed.InvokeAsync(isServing ? new InvocationConfiguration { ProcessTerminationTimeout = null } : null);
return parsed.Action is ParseErrorAction ? 2 : code;
