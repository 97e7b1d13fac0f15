using System.CommandLine;
using Bootstrap.Cli.Commands;

var root = new RootCommand("Bootstrap: network boot and provisioning for clusters of Raspberry Pi and other boards.")
{
    ServeCommand.Create(),
};
return await root.Parse(args).InvokeAsync();
