using System.Diagnostics;
using System.Net;
using Bootstrap.Agent;
using Bootstrap.Link;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Board.Tests;

/// <summary>A Pi with an EEPROM and an updater, and a Slave that gets orders.</summary>
public abstract class FirmwareTest : IDisposable
{
    private protected const string Look = "-j -m /run/bootstrap/firmware.json";

    private protected static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private protected readonly string _folder = Directory.CreateTempSubdirectory("firmware-").FullName;
    private protected readonly NodeIdentity _identity = TestIdentity.Create("mac-525400000001");
    private protected readonly Outbox _outbox = new();
    private protected readonly Power _power = new();
    private protected readonly Guid _task = Guid.NewGuid();
    private protected readonly PiWithEeprom _pi;

    protected FirmwareTest() => _pi = new PiWithEeprom(_folder).Make();

    public void Dispose()
    {
        _identity.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
    private protected string Tasks => Path.Combine(_folder, "tasks");

    private protected TaskEnded Outcome => new TaskJournal(Tasks).Find(_task)!.Outcome!;

    private protected TaskRunner Runner(string bootId, TimeProvider? clock = null) => new(
        new TaskJournal(Tasks), bootId, new NetInstStaging(_pi.Root, Path.Combine(_folder, "state"), () => _identity), _power, _outbox, _ =>
        { },
        clock ?? TimeProvider.System, _pi.System);

    private protected Task<Ending?> OrderAsync(bool isChecked = false, string bootId = "boot-1", CancellationToken? cancellation = null,
        TimeProvider? clock = null, bool mayWriteDirectly = false,
        UserWarning? warning = null) =>
        Runner(bootId, clock).RunAsync(
        new StartTask(_task, new FirmwareOrder(warning, isChecked, mayWriteDirectly)), new ApplianceEndpoint(IPAddress.Loopback, 1),
            new Uri("http://127.0.0.1:1"), cancellation ?? s_end);

    /// <summary>A Slave that is started in the same boot takes an order, and waits with it for what was left.</summary>
    /// <param name="isKilled">It goes again before it has done anything.</param>
    private protected async Task<Task<Ending?>> RestartedAsync(TaskOrder order, Guid task, bool isKilled)
    {
        using var leaving = new CancellationTokenSource();
        TaskRunner runner = Runner("boot-1");
        await runner.EndLeftoversAsync();
        Assert.False(runner.AnswerFromMemory(task));
        Task<Ending?> running = runner.RunAsync(
            new StartTask(task, order), new ApplianceEndpoint(IPAddress.Loopback, 1), new Uri("http://127.0.0.1:1"), s_end, leaving.Token);
        await LoopbackSlave.UntilAsync(
            () => Lines().Any(line => line.StartsWith("waiting for a program that may be writing", StringComparison.Ordinal)));
        if (isKilled)
        {
            await leaving.CancelAsync();
            Assert.Null(await running);
        }
        return running;
    }

    /// <summary>It is refused before anything is staged.</summary>
    private protected async Task RefusedAsync(string cause, bool isChecked = false)
    {
        Assert.Null(await OrderAsync(isChecked));
        Assert.False(Outcome.Succeeded);
        Assert.Contains(cause, Outcome.Cause);
        Assert.DoesNotContain("-a", _pi.Calls);
    }

    private protected void Supply(string name, string type, params (string File, string Value)[] values)
    {
        _pi.Write($"sys/class/power_supply/{name}/type", type + "\n");
        foreach ((string file, string value) in values)
        {
            _pi.Write($"sys/class/power_supply/{name}/{file}", value + "\n");
        }
    }

    private protected IEnumerable<string> Lines() => Messages().OfType<LogLines>().SelectMany(l => l.Lines);

    private protected List<LinkMessage> Messages()
    {
        List<LinkMessage> messages = [];
        while (_outbox.Next() is { } message)
        {
            messages.Add(message);
            _outbox.Sent();
        }
        return messages;
    }

    private protected static async Task ToolAsync(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        await process.WaitForExitAsync(s_end);
        Assert.Equal(0, process.ExitCode);
    }

    private protected sealed class Power : ISystemPower
    {
        public StagedStart? Restarted { get; private set; }

        public void Restart(StagedStart start) => Restarted = start;

        public void PowerOff() => throw new InvalidOperationException("nobody asked for that");
    }

    /// <summary>Leaps ahead by an hour.</summary>
    private protected sealed class LeapingClock(Func<bool> hasLeapt) : TimeProvider
    {
        public override long GetTimestamp() => base.GetTimestamp() + (hasLeapt() ? TimestampFrequency * 3600 : 0);
    }
}
