using System.Net;
using System.Net.Sockets;
using System.Text;
using Bootstrap.Agent;
using Bootstrap.Link;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Board.Tests;

public sealed class StagingTests : IDisposable
{
    private const string Original =
        "# mine\narm_64bit=1\nkernel=vmlinuz\ninitramfs initrd.img followkernel\n[pi4]\ndtoverlay=disable-wifi\n";
    private static readonly byte[] s_kernel = Encoding.ASCII.GetBytes("kernel"), s_initramfs = Encoding.ASCII.GetBytes("initramfs");

    private readonly FixtureRoot _root = new();
    private readonly NodeIdentity _identity = TestIdentity.Create("mac-525400000001");
    private readonly Outbox _outbox = new();
    private readonly Power _power = new();

    public StagingTests() => _root.File("boot/firmware/config.txt", Original)
        .File("proc/cmdline", "console=tty1 console=ttyAMA0,115200 root=LABEL=rootfs rootwait\n");

    public void Dispose()
    {
        _root.Dispose();
        _identity.Dispose();
    }

    [Fact]
    public async Task Staging_swaps_config_txt_and_keeps_the_original()
    {
        Ending? end = await RunAsync(Guid.NewGuid(), Stage());
        Assert.Equal("reboot", end!.Goodbye);
        end.Do();
        Assert.Equal(StagedStart.Restart, _power.Restarted);
        Assert.Equal(Original, Text("config.txt.before-netinst"));
        Assert.Equal("# mine\narm_64bit=1\n[pi4]\ndtoverlay=disable-wifi\n[all]\narm_64bit=1\nkernel=netinst/kernel\n" +
            "initramfs netinst/initramfs followkernel\ncmdline=netinst/cmdline.txt\n", Text("config.txt"));
        Assert.Equal("console=tty1 console=ttyAMA0,115200 panic=10 bootstrap.backend=127.0.0.1:8444\n", Text("netinst/cmdline.txt"));
        Assert.Equal("kernel", Text("netinst/kernel"));
        string initramfs = Text("netinst/initramfs");
        Assert.StartsWith("initramfs\0", initramfs);
        Assert.Equal(512, initramfs.IndexOf("070701", StringComparison.Ordinal));
        Assert.Contains("etc/bootstrap/config-swapped\0", initramfs);
        Assert.Contains("etc/bootstrap/identity-on-disk\0", initramfs);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_nodes_key_is_never_on_the_boot_partition_which_every_user_can_read(bool hasTryBoot)
    {
        if (hasTryBoot)
        {
            _root.File("proc/device-tree/chosen/bootloader/tryboot", [0, 0, 0, 0]).File("proc/sys/kernel/osrelease", "6.6.31+rpt-rpi-v8\n");
        }
        Assert.NotNull(await RunAsync(Guid.NewGuid(), Stage()));
        string[] files = [.. Directory.EnumerateFiles(Path.Combine(_root.Folder, "boot"), "*", SearchOption.AllDirectories)];
        Assert.Contains(files, file => Path.GetFileName(file) == "initramfs");
        Assert.All(files, file =>
            Assert.DoesNotContain("PRIVATE KEY", Encoding.Latin1.GetString(File.ReadAllBytes(file)), StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_machine_that_loads_NetInst_itself_leaves_the_key_in_no_file_that_others_could_read()
    {
        File.Delete(Path.Combine(_root.Folder, "boot/firmware/config.txt"));
        string folder = Path.Combine(_root.Folder, "state", "netinst"), initramfs = Path.Combine(folder, "initramfs");
        Directory.CreateDirectory(folder);
        File.WriteAllText(initramfs, "of an earlier time, for all to read");
        UnixFileMode? whenTheKeyCame = null;
        NodeIdentity Give()
        {
            whenTheKeyCame = File.GetUnixFileMode(initramfs);
            return _identity;
        }
        // What is loaded here is no kernel.
        Assert.Null(await RunAsync(
            Guid.NewGuid(), Stage(), staging: new NetInstStaging(_root.Folder, Path.Combine(_root.Folder, "state"), Give)));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, whenTheKeyCame);
        Assert.False(Directory.Exists(folder));
    }

    [Fact]
    public async Task A_pi_whose_firmware_and_kernel_know_tryboot_keeps_its_config_txt()
    {
        _root.File("proc/device-tree/chosen/bootloader/tryboot", [0, 0, 0, 0]).File("proc/sys/kernel/osrelease", "6.6.31+rpt-rpi-v8\n");
        Ending? end = await RunAsync(Guid.NewGuid(), Stage());
        end!.Do();
        Assert.Equal(StagedStart.TryBoot, _power.Restarted);
        Assert.Equal(Original, Text("config.txt"));
        Assert.Contains("kernel=netinst/kernel", Text("tryboot.txt"));
        Assert.DoesNotContain("config-swapped", Text("netinst/initramfs"));
    }

    [Fact]
    public async Task Staging_twice_does_not_take_netinsts_config_for_the_original()
    {
        await RunAsync(Guid.NewGuid(), Stage());
        await RunAsync(Guid.NewGuid(), Stage());
        Assert.Equal(Original, Text("config.txt.before-netinst"));
        Assert.True(Staging().Undo());
        Assert.Equal(Original, Text("config.txt"));
        Assert.False(Staging().Undo());
    }

    [Fact]
    public async Task A_spoilt_kernel_is_refused_and_nothing_changes()
    {
        StageInstallOrder order = Stage();
        var id = Guid.NewGuid();
        Assert.Null(await RunAsync(id, order with { Kernel = order.Kernel with { Digest = Digest.Of("other"u8) } }));
        Assert.Equal(Original, Text("config.txt"));
        Assert.IsType<TaskAccepted>(Next());
        Assert.IsType<TaskProgress>(Next());
        var ended = Assert.IsType<TaskEnded>(Next());
        Assert.Equal((false, DiskState.Untouched), (ended.Succeeded, ended.Disk));
        Assert.Contains("NetInst's kernel", ended.Cause);
    }

    [Fact]
    public async Task No_room_on_the_boot_partition_is_said_before_anything_is_fetched()
    {
        StageInstallOrder order = Stage();
        Assert.Null(await RunAsync(Guid.NewGuid(), order with { Kernel = order.Kernel with { Length = long.MaxValue / 2 } }));
        Next();
        Next();
        Assert.Contains("MB are needed", Assert.IsType<TaskEnded>(Next()).Cause);
        Assert.False(File.Exists(Path.Combine(_root.Folder, "boot/firmware/netinst/kernel")));
    }

    [Fact]
    public async Task A_restart_that_comes_again_after_the_restart_is_answered_and_not_done_again()
    {
        var id = Guid.NewGuid();
        Assert.False(Runner("boot-1").AnswerFromMemory(id));
        Assert.NotNull(await RunAsync(id, new RebootOrder(), "boot-1"));
        Next();
        Assert.False(Runner("boot-1").AnswerFromMemory(id)); // the daemon was restarted before the machine was
        Assert.True(Runner("boot-2").AnswerFromMemory(id));
        Assert.Equal(new TaskEnded(id, true, false, "", DiskState.Untouched), Next());
        Assert.True(Runner("boot-3").AnswerFromMemory(id));
    }

    [Fact]
    public async Task A_node_that_is_back_in_its_old_system_says_that_netinst_did_not_come_up()
    {
        var id = Guid.NewGuid();
        await RunAsync(id, Stage(), "boot-1");
        while (Next() is not TaskProgress { Phase: "rebooting" })
        {
            // accepted, staging …
        }
        Assert.True(Runner("boot-2").AnswerFromMemory(id));
        Assert.Contains("old system", Assert.IsType<TaskEnded>(Next()).Cause);
    }

    [Fact]
    public void The_journal_forgets_the_oldest_and_survives_half_a_file()
    {
        var journal = new TaskJournal(Path.Combine(_root.Folder, "tasks"));
        var id = Guid.NewGuid();
        File.WriteAllText(Path.Combine(_root.Folder, "tasks", $"{id}.json"), "{\"id\":");
        Assert.Null(journal.Find(id));
        for (int i = 0; i < TaskJournal.MaximumTasks + 5; i++)
        {
            journal.Put(new TaskRecord(Guid.NewGuid(), false, "boot", null));
        }
        Assert.Equal(TaskJournal.MaximumTasks, Directory.GetFiles(Path.Combine(_root.Folder, "tasks")).Length);
    }

    private LinkMessage? Next()
    {
        LinkMessage? message = _outbox.Next();
        _outbox.Sent();
        return message;
    }

    private string Text(string path) => Encoding.Latin1.GetString(File.ReadAllBytes(Path.Combine(_root.Folder, "boot/firmware", path)));

    private NetInstStaging Staging() => new(_root.Folder, Path.Combine(_root.Folder, "state"), () => _identity);

    private TaskRunner Runner(string bootId, NetInstStaging? staging = null) =>
        new(new TaskJournal(Path.Combine(_root.Folder, "tasks")), bootId, staging ?? Staging(), _power, _outbox, _ => { }, new NoWaiting());

    private static StageInstallOrder Stage() => new(
        new RemoteFile("/kernel", Digest.Of(s_kernel), s_kernel.Length),
        new RemoteFile("/initramfs", Digest.Of(s_initramfs), s_initramfs.Length), "panic=10");

    private async Task<Ending?> RunAsync(Guid id, TaskOrder order, string bootId = "boot-1", NetInstStaging? staging = null)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var stop = new CancellationTokenSource();
        Task serving = ServeAsync(listener, stop.Token);
        var files = new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}");
        Ending? end = await Runner(bootId, staging).RunAsync(
            new StartTask(id, order), new ApplianceEndpoint(IPAddress.Loopback, 8444), files, TestContext.Current.CancellationToken);
        await stop.CancelAsync();
        await serving;
        return end;
    }

    private static async Task ServeAsync(TcpListener listener, CancellationToken stop)
    {
        try
        {
            while (true)
            {
                using TcpClient client = await listener.AcceptTcpClientAsync(stop);
                using var reader = new StreamReader(client.GetStream());
                string path = (await reader.ReadLineAsync(stop))!.Split(' ')[1];
                while (await reader.ReadLineAsync(stop) is { Length: > 0 })
                {
                    // Headers say nothing of interest.
                }
                byte[] body = path == "/kernel" ? s_kernel : s_initramfs;
                byte[] head = Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n");
                await client.GetStream().WriteAsync((byte[])[.. head, .. body], stop);
            }
        }
        catch (OperationCanceledException)
        {
            // The test is over.
        }
    }

    private sealed class Power : ISystemPower
    {
        public StagedStart? Restarted { get; private set; }

        public void Restart(StagedStart start) => Restarted = start;

        public void PowerOff()
        {
        }
    }

    /// <summary>Back-off is over at once; time-outs never come.</summary>
    private sealed class NoWaiting : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime < TimeSpan.FromSeconds(17) ? TimeSpan.Zero : Timeout.InfiniteTimeSpan,
            Timeout.InfiniteTimeSpan);
    }
}
