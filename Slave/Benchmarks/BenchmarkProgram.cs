using System.Runtime.InteropServices;
using System.Text.Json;
using Bootstrap.Benchmarks.Measurement;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Benchmarks;

namespace Bootstrap.Benchmarks;

/// <summary>
/// The Slave's program as it measures: a process of its own, so that its memory and its threads are gone when it ends, and whoever ends it
/// ends nothing else. It writes lines for people, of which the last one says why there is no result where there is none.
/// </summary>
public static class BenchmarkProgram
{
    /// <summary>Asks for it: <c>--benchmark PLAN FILE</c>, the file of a <see cref="BenchmarkPlan"/> as JSON, and where the result is
    /// written, as JSON; a scratch file is made in the same folder.</summary>
    public const string Option = "--benchmark";

    /// <summary>Puts back the governors that a run has left which was ended in the middle.</summary>
    public const string TidyOption = "--tidy-benchmark";

    /// <summary>The governors of before stand here while it is measured; a restart of the machine empties the folder.</summary>
    private const string GovernorFile = "/run/bootstrap-governors";

    /// <summary>A run was ended in the middle, or is not over.</summary>
    public static bool IsTidy => !File.Exists(GovernorFile);

    /// <summary>Measures if that is what is asked for.</summary>
    /// <param name="args">Of the program.</param>
    /// <returns>The exit code; null: something else is asked for.</returns>
    public static async Task<int?> RunAsync(string[] args, TimeProvider clock)
    {
        if (args is [TidyOption])
        {
            Governors.Restore("/", GovernorFile);
            return 0;
        }
        if (args is not [Option, var planFile, var file])
        {
            return null;
        }
        BenchmarkPlan? plan;
        try
        {
            await using FileStream text = File.OpenRead(planFile);
            plan = await JsonSerializer.DeserializeAsync(text, ProtocolJson.Default.BenchmarkPlan).ConfigureAwait(false);
        }
        catch (Exception e) when (e is JsonException or IOException)
        {
            return Fail($"the plan cannot be read: {e.Message}");
        }
        if (plan is null || BenchmarkKind.Find(plan.Request.Kind) is null)
        {
            return Fail($"this node has no benchmark '{plan?.Request.Kind}': its Slave is older than the appliance");
        }
        using var stop = new CancellationTokenSource();
        using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        try
        {
            string folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
            BenchmarkResult result = await new BenchmarkRun("/", GovernorFile, folder, Console.WriteLine, clock)
                .RunAsync(plan, stop.Token).ConfigureAwait(false);
            foreach (BenchmarkFault fault in result.Faults)
            {
                Console.WriteLine($"does not count: {fault.Words}");
            }
            await File.WriteAllBytesAsync(file, JsonSerializer.SerializeToUtf8Bytes(result, ProtocolJson.Default.BenchmarkResult))
                .ConfigureAwait(false);
            return 0;
        }
        catch (BenchmarkException e)
        {
            return Fail(e.Message);
        }
        catch (OperationCanceledException)
        {
            return Fail("it was ended");
        }

        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            stop.Cancel();
        }
    }

    private static int Fail(string why)
    {
        Console.WriteLine(why);
        return 1;
    }
}
