using System.CommandLine;
using System.Globalization;
using System.Runtime.InteropServices;
using Bootstrap.Cli.Api;
using Bootstrap.Cli.Commands;

namespace Bootstrap.Cli.Fleet;

/// <summary>Work on many nodes side by side: how many at once, for how long, and what it came to.</summary>
internal sealed class FleetWork : IDisposable
{
    /// <summary>Patience with a connection, where the whole has more time than that.</summary>
    private const int ConnectSeconds = 10;

    private const int Most = 1_000_000;

    private static readonly Option<int> s_parallel = Number("--parallel", "Most nodes to work on at once.", 32);

    private readonly CancellationTokenSource _interrupted;
    private readonly int _parallel;
    private readonly TimeSpan _timeout;
    private readonly bool _json;

    private FleetWork(ParseResult parsed, int timeoutSeconds, FleetTargets targets, CancellationTokenSource interrupted)
    {
        _parallel = parsed.GetRequiredValue(s_parallel);
        _timeout = timeoutSeconds == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(timeoutSeconds);
        _json = parsed.GetValue(ClientCommand.Json);
        _interrupted = interrupted;
        Targets = targets;
        Ssh = new Ssh(parsed, timeoutSeconds is > 0 and < ConnectSeconds ? timeoutSeconds : ConnectSeconds);
    }

    public FleetTargets Targets { get; }

    public Ssh Ssh { get; }

    /// <summary>The user wants it to end.</summary>
    public CancellationToken Interrupted => _interrupted.Token;

    /// <summary>Gives a command the options that choose nodes and say how to work on them, and its action.</summary>
    /// <param name="timeoutSeconds">Default patience with a node; 0: without end.</param>
    /// <param name="check">What is wrong with the command line, seen without any node: one sentence; null: nothing.</param>
    /// <param name="action">Gives what each node's work came to.</param>
    public static Command Create(
        Command command, int timeoutSeconds, Func<ParseResult, string?> check,
        Func<FleetWork, ParseResult, Task<IReadOnlyList<NodeResult>>> action)
    {
        Option<int> timeout = Number("--timeout", "Seconds for one node; 0: without end. What was begun there may go on.", timeoutSeconds,
            least: 0);
        FleetTargets.AddTo(command);
        Ssh.AddTo(command);
        command.Add(s_parallel);
        command.Add(timeout);
        command.SetAction((parsed, cancellation) => ClientCommand.GuardAsync(async () =>
        {
            if (check(parsed) is { } fault)
            {
                throw new CliException(fault) { ExitCode = 2 };
            }
            // A terminal that is closed interrupts, as Ctrl-C does: the programs have no terminal to hear it from.
            using var interrupted = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            using PosixSignalRegistration? hangUp = IgnoresHangUp() ? null : PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
            {
                signal.Cancel = true;
                interrupted.Cancel();
            });
            FleetTargets targets = await FleetTargets.FindAsync(parsed, interrupted.Token);
            using var work = new FleetWork(parsed, parsed.GetRequiredValue(timeout), targets, interrupted);
            return work.Summarize(await action(work, parsed));
        }));
        return command;
    }

    /// <summary>Works on targets, as many at once and each for as long as the user allows.</summary>
    /// <param name="targets">All, or those that are left.</param>
    /// <param name="work">Ends early when it is cancelled.</param>
    /// <returns>One result for each target, in their order.</returns>
    public async Task<NodeResult[]> OnEachAsync(IReadOnlyList<Target> targets, Func<Target, CancellationToken, Task<NodeEnd>> work)
    {
        TimeProvider clock = TimeProvider.System;
        var results = new NodeResult[targets.Count];
        await Parallel.ForAsync(0, targets.Count, new ParallelOptions { MaxDegreeOfParallelism = _parallel }, async (i, _) =>
        {
            Target target = targets[i];
            long begun = clock.GetTimestamp();
            using var limit = new CancellationTokenSource(_timeout, clock);
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, Interrupted);
            NodeEnd end;
            try
            {
                end = await work(target, stop.Token);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                end = Interrupted.IsCancellationRequested ? new NodeEnd(Outcome.NotFinished, null, "interrupted")
                    : new NodeEnd(Outcome.TimedOut, null, $"not done after {_timeout.TotalSeconds} s");
            }
            results[i] = new NodeResult(target.Name, target.Address, end.Outcome, end.ExitCode,
                Math.Round(clock.GetElapsedTime(begun).TotalSeconds, 2), end.Detail);
        });
        return results;
    }

    /// <summary>Prints what came of it, the failures last.</summary>
    /// <returns>The exit code: 0 only if every node's work succeeded.</returns>
    private int Summarize(IReadOnlyList<NodeResult> results)
    {
        NodeResult[] all =
        [
            .. results.OrderBy(r => r.Outcome),
            .. Targets.Missing.Select(name => new NodeResult(name, "", Outcome.Unreachable, null, 0, "did not answer discovery")),
        ];
        if (_json)
        {
            foreach (NodeResult result in all)
            {
                Output.JsonLine(result);
            }
        }
        else
        {
            Output.Table(["NODE", "RESULT", new("SECONDS", 1), "DETAIL"], all.Select(r => new[]
            {
                r.Address is "" || r.Address == r.Node ? r.Node : $"{r.Node} ({r.Address})", Words(r),
                r.Seconds.ToString("0.0", CultureInfo.InvariantCulture), r.Detail,
            }));
            Console.WriteLine(string.Join(", ",
                all.GroupBy(r => r.Outcome).OrderBy(g => g.Key).Select(g => $"{g.Count()} {Words(g.Key)}")));
        }
        return all.All(r => r.Outcome == Outcome.Ok) ? 0 : 1;
    }

    public void Dispose() => Ssh.Dispose();

    /// <summary>True where <c>nohup</c> started this program: bit 0 of the ignored signals is signal 1.</summary>
    private static bool IgnoresHangUp()
    {
        string ignored = File.ReadLines("/proc/self/status").First(line => line.StartsWith("SigIgn:", StringComparison.Ordinal))[^16..];
        return (ulong.Parse(ignored, NumberStyles.HexNumber, CultureInfo.InvariantCulture) & 1) == 1;
    }

    private static string Words(NodeResult result) => result.ExitCode is > 0 and var code ? $"{Words(result.Outcome)} ({code})"
        : Words(result.Outcome);

    private static string Words(Outcome outcome) => outcome switch
    {
        Outcome.Ok => "ok",
        Outcome.Failed => "failed",
        Outcome.Unreachable => "unreachable",
        Outcome.TimedOut => "timed out",
        _ => "not finished",
    };

    private static Option<int> Number(string name, string description, int value, int least = 1)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "N", DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }] && int.TryParse(text, out int given) && (given < least || given > Most))
            {
                result.AddError($"{name} must be from {least} to {Most}.");
            }
        });
        return option;
    }
}
