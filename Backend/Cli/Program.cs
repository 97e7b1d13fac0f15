using System.CommandLine;
using Bootstrap.Cli.Commands;

var root = new RootCommand("Bootstrap: network boot and provisioning for clusters of Raspberry Pi and other boards.")
{
    ServeCommand.Create(),
    LoginCommand.Create(),
    NodeCommands.Create(),
    ImageCommands.Create(),
    JobCommands.Create(),
    BootCommands.Create(),
    DhcpCommands.Create(),
    FlashCommand.Create(),
    SettingsCommands.CreatePolicy(),
    NodeCommands.CreateDiscover(),
    SettingsCommands.CreateSignIn(),
};
foreach (Command order in JobCommands.CreateOrders())
{
    root.Add(order);
}
root.Add(ClientCommand.Json);
return await root.Parse(args).InvokeAsync();
