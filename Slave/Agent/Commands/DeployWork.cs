using System.Text.Json;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Commands;

/// <summary>
/// Puts files in their places. The Slave's own service sees most of the system read-only: its program does it as a command, which is free
/// of that.
/// </summary>
internal static class DeployWork
{
    public static async Task<TaskEnded> DoAsync(DeployOrder order, NodeSystem system, ApplianceEndpoint appliance, WorkContext context)
    {
        context.Phase("deploying");
        string json = JsonSerializer.Serialize(order, ProtocolJson.Default.TaskOrder);
        IEnumerable<string> slave = system.Slave ?? [Environment.ProcessPath!];
        CommandEnd end = await context.Runner.RunAsync(
            Command.ByRoot([.. slave, "--deploy", json, "--from", appliance.ToString(), "--config", system.Config]), context.Cancellation)
            .ConfigureAwait(false);
        if (end is not { ExitCode: 0, TimedOut: false } || order.Command.Count == 0)
        {
            return context.End("the deployment (its log tells more)", end);
        }
        context.Phase("running");
        return context.End("the command after the deployment",
            await context.Runner.RunAsync(Command.ByRoot(order.Command), context.Cancellation).ConfigureAwait(false));
    }
}
