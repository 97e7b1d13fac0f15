using System.Text.Json;
using Bootstrap.Benchmarks;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Benchmarks;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Agent.Commands;

/// <summary>Measures the node, by the Slave's program as a command: free of what its service may not do, and gone when it ends.</summary>
internal static class BenchmarkWork
{
    private const int LongestResult = 1 << 20;

    private static readonly TimeSpan s_tidyTime = TimeSpan.FromSeconds(30);

    /// <param name="files">Where the node has its files from: the appliance, as it is reached from here.</param>
    public static async Task<TaskEnded> DoAsync(BenchmarkOrder order, NodeSystem system, Uri files, WorkContext context)
    {
        context.Phase("measuring");
        string plan = Path.Combine(system.State, $"benchmark-{context.Task}-plan.json"), last = "";
        string file = Path.Combine(system.State, $"benchmark-{context.Task}.json");
        WritePlan(plan, order.Plan with
        {
            Peer = order.Plan.Peer is { Host: "" } appliance
                ? appliance with { Host = files.DnsSafeHost, Port = files.Port }
                : order.Plan.Peer,
        });
        string[] slave = [.. system.Slave ?? [Environment.ProcessPath!]];
        try
        {
            CommandEnd end = await context.Runner.RunAsync(Command.ByRoot([.. slave, BenchmarkProgram.Option, plan, file]),
                context.Cancellation, line => last = line).ConfigureAwait(false);
            return end is { ExitCode: 1, TimedOut: false } && last.Length > 0 ? context.End(last)
                : end is not { ExitCode: 0, TimedOut: false } ? context.End("the benchmark", end)
                : Read(file) is { IsSound: true } result ? context.End("") with { Benchmark = result }
                : context.End("the benchmark ended without a result");
        }
        finally
        {
            File.Delete(plan);
            File.Delete(file);
            if (!BenchmarkProgram.IsTidy)
            {
                // It was killed. What it has changed must not stay so, whatever becomes of the task.
                await context.Runner.RunAsync(Command.ByRoot([.. slave, BenchmarkProgram.TidyOption]), CancellationToken.None)
                    .ConfigureAwait(false);
            }
        }
    }

    /// <summary>At the Slave's start, when nothing of an earlier one runs any more: a run that was ended with it may have left something
    /// changed.</summary>
    public static async Task TidyAsync(NodeSystem system, TimeProvider clock)
    {
        if (!BenchmarkProgram.IsTidy)
        {
            var runner = new CommandRunner(Guid.NewGuid(), Console.WriteLine, _ => { }, s_tidyTime, clock);
            await runner.RunAsync(Command.ByRoot([.. system.Slave ?? [Environment.ProcessPath!], BenchmarkProgram.TidyOption]),
                CancellationToken.None).ConfigureAwait(false);
        }
    }

    /// <summary>In a file that root alone reads: the other users of the node see what a program is started with.</summary>
    private static void WritePlan(string file, BenchmarkPlan plan)
    {
        File.Delete(file); // of a Slave that was killed
        using var stream = new FileStream(file, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        JsonSerializer.Serialize(stream, plan, ProtocolJson.Default.BenchmarkPlan);
    }

    private static BenchmarkResult? Read(string file)
    {
        var info = new FileInfo(file);
        if (!info.Exists || info.Length > LongestResult)
        {
            return null;
        }
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(file), ProtocolJson.Default.BenchmarkResult);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
