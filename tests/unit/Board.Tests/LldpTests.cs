using System.Diagnostics;
using System.Runtime.InteropServices;
using Bootstrap.Board.Lldp;
using Bootstrap.Protocol;
using CsCheck;

namespace Bootstrap.Board.Tests;

public sealed partial class LldpTests
{
    /// <summary>As lldpd 1.0.16 sends it: chassis and port by MAC address, a station, management address, then TLVs of
    /// organisations.</summary>
    private const string Station =
        "020704fe8f2fa5115a040703fe8f2fa5115a060200780a02766d0c1253776974636820332c20323420706f7274730e04009c0080100c05010a000002020000" +
        "00020008027033fe0900120f030100000000fe0900120f0100800000360000";

    /// <summary>The same as a switch, with the port's name and a description.</summary>
    private const string Switch =
        "02070466245e2d27110403057033060200140a067261636b2d330c01780e04009c0004100c05010a000002020000000200081175706c696e6b206f66207368" +
        "656c662032fe0900120f030100000000fe0900120f0100800000360000";

    private static readonly SwitchPort s_one = new("00:11:22:33:44:55", "Gi1/0/1", "", "rack-1", ""),
        s_two = s_one with { Port = "Gi1/0/2" };

    [Fact]
    public void Announcements_of_real_neighbours_are_read()
    {
        LldpFrame frame = LldpFrame.Read(Convert.FromHexString(Station))!;
        Assert.Equal(new SwitchPort("fe:8f:2f:a5:11:5a", "fe:8f:2f:a5:11:5a", "p3", "vm", "10.0.0.2"), frame.Port);
        Assert.Equal((TimeSpan.FromSeconds(120), false), (frame.TimeToLive, frame.IsBridge));
        frame = LldpFrame.Read(Convert.FromHexString(Switch))!;
        Assert.Equal(new SwitchPort("66:24:5e:2d:27:11", "p3", "uplink of shelf 2", "rack-3", "10.0.0.2"), frame.Port);
        Assert.Equal((TimeSpan.FromSeconds(20), true), (frame.TimeToLive, frame.IsBridge));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0207")]
    [InlineData("020704fe8f2fa5115a")] // a chassis alone
    [InlineData("040703fe8f2fa5115a020704fe8f2fa5115a06020078")] // port before chassis
    [InlineData("020704fe8f2fa5115a040703fe8f2fa5115a06010000")] // a time of one byte
    [InlineData("0201040403050670336006020078")] // an empty chassis
    public void What_is_no_announcement_is_nothing(string hex) => Assert.Null(LldpFrame.Read(Convert.FromHexString(hex)));

    [Fact]
    public void Damaged_announcements_are_read_or_refused_but_never_throw()
    {
        byte[] good = Convert.FromHexString(Station);
        Gen.Byte.Array[0, 600].Sample(bytes =>
        {
            _ = LldpFrame.Read(bytes);
            _ = LldpFrame.Read([.. good[..22], .. bytes]);
        });
        Gen.Select(Gen.Int[0, good.Length - 1], Gen.Byte, Gen.Int[0, good.Length]).Sample((at, value, length) =>
        {
            byte[] damaged = [.. good];
            damaged[at] = value;
            if (LldpFrame.Read(damaged.AsSpan(0, length)) is { } frame)
            {
                Assert.All([frame.Port.Chassis, frame.Port.Port, frame.Port.SystemName], text =>
                    Assert.True(text.Length <= 255 && !text.Any(char.IsControl)));
            }
        });
    }

    [Fact]
    public void A_neighbour_holds_until_its_time_is_over_and_others_on_the_wire_do_not_take_its_place()
    {
        var clock = new StepClock();
        var neighbours = new LldpNeighbours(clock);
        neighbours.Listen("eth0");
        Assert.True(neighbours.Hear("eth0", Bridge(s_one)));
        Assert.False(neighbours.Hear("eth0", Bridge(s_one))); // again
        Assert.False(neighbours.Hear("eth0", Bridge(s_two)));
        clock.Pass(TimeSpan.FromSeconds(119));
        Assert.False(neighbours.Expire());
        Assert.Equal(s_one, neighbours.PortOf("eth0"));
        clock.Pass(TimeSpan.FromSeconds(1));
        Assert.True(neighbours.Hear("eth0", Bridge(s_two))); // the cable was moved
        Assert.Equal(s_two, neighbours.PortOf("eth0"));
        clock.Pass(TimeSpan.FromSeconds(120));
        Assert.True(neighbours.Expire());
        Assert.False(neighbours.Expire());
        Assert.Null(neighbours.PortOf("eth0"));
    }

    [Fact]
    public void A_switch_takes_the_place_of_another_board_and_leaves_when_it_says_so()
    {
        var neighbours = new LldpNeighbours(new StepClock());
        Assert.True(neighbours.Hear("eth0", Bridge(s_two) with { IsBridge = false }));
        Assert.True(neighbours.Hear("eth0", Bridge(s_one)));
        Assert.False(neighbours.Hear("eth0", Bridge(s_two) with { IsBridge = false }));
        Assert.True(neighbours.Hear("eth0", Bridge(s_one) with { TimeToLive = TimeSpan.Zero }));
        Assert.Null(neighbours.PortOf("eth0"));
    }

    [Fact]
    public void That_no_switch_speaks_is_known_after_a_while_and_told_once()
    {
        var clock = new StepClock();
        var neighbours = new LldpNeighbours(clock);
        neighbours.Listen("eth0");
        Assert.False(neighbours.Expire());
        clock.Pass(LldpNeighbours.Patience);
        Assert.True(neighbours.Expire());
        Assert.False(neighbours.Expire());
    }

    [Fact]
    public async Task Without_the_privilege_there_is_one_line_in_the_log_and_no_more()
    {
        var log = new List<string>();
        Task listening = Task.CompletedTask;
        // A thread may give up what it may do for itself alone, and for those that it starts: nothing goes on from here.
        var thread = new Thread(() =>
        {
            GiveUpPrivileges();
            listening = new LldpListener(new LldpNeighbours(TimeProvider.System), () => ["lo"], () => { }, log.Add, TimeProvider.System)
                .RunAsync(TestContext.Current.CancellationToken);
        });
        thread.Start();
        thread.Join();
        await listening;
        Assert.Contains("(LLDP) cannot be heard", Assert.Single(log), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_switch_announces_on_a_cable_is_heard()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var clock = TimeProvider.System;
        var neighbours = new LldpNeighbours(clock);
        var changed = new SemaphoreSlim(0);
        var log = new List<string>();
        Task listening = Task.CompletedTask;
        Exception? fault = null;
        // The cable is in a network of this thread's own: what it opens and starts is there, and stays there. So nothing else goes on from
        // here.
        var thread = new Thread(() =>
        {
            try
            {
                Assert.Equal(0, Unshare(NewNetwork));
                Run("ip", "link", "add", "board0", "type", "veth", "peer", "name", "port7");
                Run("ip", "link", "set", "board0", "up");
                Run("ip", "link", "set", "port7", "up");
                listening = new LldpListener(neighbours, () => ["board0"], () => changed.Release(), log.Add, clock).RunAsync(stop.Token);
                // First what is not for us, and what is damaged.
                Run("python3", "-c", """
                    import socket, sys
                    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
                    port.bind(("port7", 0x88cc))
                    head = bytes.fromhex("0180c200000e020000000007")
                    port.send(head + bytes.fromhex("0800") + bytes.fromhex(sys.argv[1]))
                    port.send(head + bytes.fromhex("88cc") + bytes(40))
                    port.send(head + bytes.fromhex("88cc") + bytes.fromhex(sys.argv[1]))
                    """, Switch);
            }
            catch (Exception e) when (Keep(e))
            {
            }
        });
        thread.Start();
        thread.Join();
        Assert.Null(fault);
        Assert.True(await changed.WaitAsync(TimeSpan.FromSeconds(60), TestContext.Current.CancellationToken), string.Join('\n', log));
        Assert.Equal("uplink of shelf 2", neighbours.PortOf("board0")?.PortDescription);
        await stop.CancelAsync();
        await listening;
        Assert.Empty(log);

        bool Keep(Exception e) => (fault = e) is not null;
    }

    /// <summary>Time stands still between steps.</summary>
    private sealed class StepClock : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _ticks;

        public void Pass(TimeSpan time) => _ticks += time.Ticks;
    }

    private static LldpFrame Bridge(SwitchPort port) => new(port, TimeSpan.FromSeconds(120), true);

    private static void Run(params string[] command)
    {
        using Process process = Process.Start(command[0], command[1..]);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private static unsafe void GiveUpPrivileges()
    {
        // capset(2), version 3, this thread: all sets are empty.
        uint* head = stackalloc uint[] { 0x20080522, 0 };
        uint* sets = stackalloc uint[6];
        Assert.Equal(0, SetCapabilities(head, sets));
    }

    private const int NewNetwork = 0x40000000;

    [LibraryImport("libc", EntryPoint = "unshare", SetLastError = true)]
    private static partial int Unshare(int flags);

    [LibraryImport("libc", EntryPoint = "capset", SetLastError = true)]
    private static unsafe partial int SetCapabilities(uint* head, uint* sets);
}
