using System.Net;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Agent;
using Bootstrap.Agent.Discovery;
using Bootstrap.Agent.Commands;
using Bootstrap.Agent.Slots;
using Bootstrap.Link;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Board.Tests;

/// <summary>Orders of one task that come one upon the other, as for a system that was just committed.</summary>
public sealed class SlotDaemonTests : IDisposable
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;
    private static readonly ApplianceEndpoint s_appliance = new(IPAddress.Loopback, 1);

    private readonly FixtureRoot _root = new();
    private readonly X509Certificate2 _authority = TestIdentity.CreateAuthority();
    private readonly Guid _id = Guid.NewGuid();

    public void Dispose()
    {
        _root.Dispose();
        _authority.Dispose();
    }

    private string Begun => Path.Combine(_root.Folder, "begun");

    private string Go => Path.Combine(_root.Folder, "go");

    private string Ran => Path.Combine(_root.Folder, "ran");

    [Fact]
    public async Task An_order_of_a_task_whose_commit_runs_begins_when_the_commit_has_ended()
    {
        await WithCommitAsync(async (daemon, outbox) =>
        {
            daemon.Hear(new StartTask(_id, Touch), s_appliance);
            Assert.IsType<TaskAccepted>(await NextAsync(outbox));
            Assert.False(File.Exists(Ran));
            await File.WriteAllTextAsync(Go, "", s_end);
            Assert.Equal(new TaskEnded(_id, true, false, "", DiskState.Installed), await NextAsync(outbox));
            Assert.IsType<TaskAccepted>(await NextAsync(outbox));
            Assert.True(Assert.IsType<TaskEnded>(await NextAsync(outbox)).Succeeded);
            Assert.True(File.Exists(Ran));
        });
    }

    [Fact]
    public async Task One_that_is_cancelled_while_it_waits_for_a_commit_is_not_begun()
    {
        await WithCommitAsync(async (daemon, outbox) =>
        {
            daemon.Hear(new StartTask(_id, Touch), s_appliance);
            Assert.IsType<TaskAccepted>(await NextAsync(outbox));
            daemon.Hear(new CancelTask(_id), s_appliance);
            Assert.True(Assert.IsType<TaskEnded>(await NextAsync(outbox)).Cancelled);
            await File.WriteAllTextAsync(Go, "", s_end);
            Assert.Equal(new TaskEnded(_id, true, false, "", DiskState.Installed), await NextAsync(outbox));
        });
        Assert.False(File.Exists(Ran));
    }

    private RunOrder Touch => new(["touch", Ran], "root", "/", new Dictionary<string, string>(), 60, false);

    /// <summary>Has a daemon commit, which does not end until <see cref="Go"/> is there.</summary>
    private async Task WithCommitAsync(Func<Daemon, Outbox, Task> look)
    {
        for (int i = 2; i < 7; i++)
        {
            _root.File($"sys/devices/mmcblk0/mmcblk0p{i}/partition", $"{i}\n");
        }
        _root.Link("sys/dev/block/179:5", "../../devices/mmcblk0/mmcblk0p5")
            .File("proc/self/mountinfo", "22 1 179:5 / / rw - ext4 /dev/root rw\n")
            .File("proc/device-tree/chosen/bootloader/tryboot", [0, 0, 0, 0])
            .File("program", $$"""
                if [ "$1" = --slots ]; then echo '@status {"choice":"autoboot","slot":"b"}'; exit 0; fi
                echo >{{Begun}}
                while ! [ -e {{Go}} ]; do sleep 0.1; done

                """);
        using (NodeIdentity identity = TestIdentity.Issue(_authority, "mac-525400000001"))
        {
            _root.File($"etc/bootstrap/{NodeFiles.Identity}", identity.Pem);
        }
        TimeProvider clock = TimeProvider.System;
        string config = Path.Combine(_root.Folder, "etc/bootstrap");
        using IdentityKeeper keeper = IdentityKeeper.Open(config, _authority, _ => { }, clock);
        var system = new NodeSystem(_root.Folder, CommandProcess.Path, ["/bin/sh", Path.Combine(_root.Folder, "program")]);
        var slots = new SlotWork(config, _root.Folder, system with { Path = "/nowhere" }, _ => { }, clock);
        await slots.LookAsync(s_end);
        var link = new NodeLink(new ApplianceTls(_authority), new ApplianceLocator("under-test", () => [s_appliance.ToString()], clock),
            keeper.Current, keeper.RefusedAsync,
            () => throw new NotSupportedException(), () => throw new NotSupportedException(), _ => { }, clock);
        var runner = new TaskRunner(new TaskJournal(Path.Combine(_root.Folder, "tasks")), "boot",
            new NetInstStaging(_root.Folder, _root.Folder, () => keeper.Current), new SlotTests.RestartOnly(), link.Outbox,
            _ => { }, clock, system, slots);
        var daemon = new Daemon(
            link, runner, keeper, new LedBlinker(_root.Folder, null, clock), new Revocations(null, _ => { }), _ => { }, clock);
        using var stop = new CancellationTokenSource();
        Task running = daemon.RunAsync(stop.Token);
        // An order that comes before the welcome is obeyed after it.
        daemon.Hear(new StartTask(_id, new CommitSlotOrder()), s_appliance);
        daemon.Hear(new Welcome("node-1", 1, 0), s_appliance);
        Assert.IsType<TaskAccepted>(await NextAsync(link.Outbox));
        while (!File.Exists(Begun))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), clock, s_end);
        }
        await look(daemon, link.Outbox);
        await stop.CancelAsync();
        await running;
    }

    /// <summary>The next word on a task that is neither its log nor its progress.</summary>
    private static async Task<LinkMessage> NextAsync(Outbox outbox)
    {
        while (true)
        {
            while (outbox.Next() is { } message)
            {
                outbox.Sent();
                if (message is TaskAccepted or TaskEnded)
                {
                    return message;
                }
            }
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, s_end);
        }
    }
}
