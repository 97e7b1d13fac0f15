using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using Bootstrap.Board.Sampling;
using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Tests.Sampling;

public sealed class PeopleAndProcessesTests : IDisposable
{
    private readonly FixtureRoot _root = new();
    private readonly StepClock _clock = new();

    public void Dispose() => _root.Dispose();

    private StatusReading Once()
    {
        using var sampler = new StatusSampler(_root.Folder, _clock, new FakeFirmware());
        return sampler.Sample(withProcesses: false);
    }

    [Fact]
    public void Users_are_those_of_whom_logind_keeps_sessions()
    {
        _root.File("run/systemd/sessions/1", "# Private.\nUID=1000\nUSER=pi\nACTIVE=1\nSTATE=active\nCLASS=user\n")
            .File("run/systemd/sessions/2", "USER=pi\nSTATE=online\nCLASS=user\n")
            .File("run/systemd/sessions/2.ref", "")
            .File("run/systemd/sessions/3", "USER=pi\nSTATE=active\nCLASS=manager\n")
            .File("run/systemd/sessions/4", "USER=eve\u001b[2J\nSTATE=active\nCLASS=user\n")
            .File("run/systemd/sessions/5", "USER=gone\nSTATE=closing\nCLASS=user\n")
            .File("run/systemd/sessions/c1", "USER=lightdm\nSTATE=active\nCLASS=greeter\n")
            .File("run/systemd/sessions/6", new byte[100_000]);
        StatusReading reading = Once();
        Assert.Equal(2, reading.Values[Metrics.Users]);
        Assert.Equal("eve\ufffd[2J, pi", reading.Facts[StatusFact.LoggedIn]);
    }

    [Fact]
    public void Nobody_is_logged_in_where_logind_has_no_session_and_nobody_knows_without_it()
    {
        Assert.DoesNotContain(Metrics.Users, Once().Values.Keys);
        Directory.CreateDirectory(Path.Combine(_root.Folder, "run/systemd/sessions"));
        StatusReading reading = Once();
        Assert.Equal(0, reading.Values[Metrics.Users]);
        Assert.DoesNotContain(StatusFact.LoggedIn, reading.Facts.Keys);
    }

    [Fact]
    public void Without_logind_users_stand_in_utmp()
    {
        byte[] Record(short kind, int process, string user)
        {
            byte[] record = new byte[RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 400 : 384];
            BinaryPrimitives.WriteInt16LittleEndian(record, kind);
            BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(4), process);
            Encoding.UTF8.GetBytes(user).CopyTo(record.AsSpan(44));
            return record;
        }
        _root.File("run/utmp",
            [.. Record(2, 0, "reboot"), .. Record(7, 321, "alice"), .. Record(7, 999, "left"), .. Record(8, 321, "dead"), 1, 2])
            .File("proc/321/stat", "");
        StatusReading reading = Once();
        Assert.Equal((1.0, "alice"), (reading.Values[Metrics.Users], reading.Facts[StatusFact.LoggedIn]));
    }

    private FixtureRoot Process(int id, string name, int ticks, long pages = 100, int start = 500) => _root.File($"proc/{id}/stat",
        $"{id} ({name}) S 1 1 1 0 -1 4194560 1 2 3 4 {ticks} 0 0 0 20 0 1 0 {start} 170000000 {pages} 18446744073709551615 1 1 0 0\n");

    [Fact]
    public void Processes_are_told_by_what_they_used_since_they_were_read_before()
    {
        for (int id = 1; id <= 30; id++)
        {
            Process(id, $"p{id}", 0);
        }
        using var sampler = new StatusSampler(_root.Folder, _clock, new FakeFirmware());
        Assert.Empty(sampler.Sample(withProcesses: true).TopProcesses);
        for (int id = 1; id <= 30; id++)
        {
            Process(id, $"p{id}", id);
        }
        Process(31, "new", 1000);
        Process(30, "its number given again", 5000, start: 900);
        _clock.Step(2);
        IReadOnlyList<ProcessReading> told = sampler.Sample(withProcesses: true).TopProcesses;
        Assert.Equal(Enumerable.Range(20, 10).Reverse(), told.Select(process => process.Id));
        Assert.Equal(new ProcessReading(29, "p29", 14.5, 100L * Environment.SystemPageSize), told[0]);
        Assert.Empty(sampler.Sample(withProcesses: false).TopProcesses);
        Assert.Equal(30, sampler.Sample(withProcesses: false).Values[Metrics.Processes]);

        // Nobody has asked for long: what they used since says nothing of now.
        _clock.Step(60);
        Assert.Empty(sampler.Sample(withProcesses: true).TopProcesses);
    }

    [Theory]
    [InlineData("a) R 1 (b", "a) R 1 (b")]
    [InlineData("a\nb\u001b[2J", "a\ufffdb\ufffd[2J")]
    [InlineData("", "")]
    [InlineData(") S 1 1 1 0 -1 9 9 9 9 9 9999 9999 9 9 9", ") S 1 1 1 0 -1 9 9 9 9 9 9999 9999 9 9 9")]
    public void Names_of_processes_may_be_anything(string name, string told)
    {
        Process(7, name, 0);
        using var sampler = new StatusSampler(_root.Folder, _clock, new FakeFirmware());
        sampler.Sample(withProcesses: true);
        Process(7, name, 50);
        _clock.Step(1);
        ProcessReading process = Assert.Single(sampler.Sample(withProcesses: true).TopProcesses);
        Assert.Equal((told, 50.0), (process.Name, process.Busy));
    }

    [Fact]
    public void A_name_that_is_no_text_is_shown_as_such()
    {
        byte[] Stat(int ticks) =>
            [.. "7 ("u8, 0xff, 0xfe, .. Encoding.UTF8.GetBytes($") S 1 1 1 0 -1 4 1 2 3 4 {ticks} 0 0 0 20 0 1 0 5 17 1 1\n")];
        _root.File("proc/7/stat", Stat(0));
        using var sampler = new StatusSampler(_root.Folder, _clock, new FakeFirmware());
        sampler.Sample(withProcesses: true);
        _root.File("proc/7/stat", Stat(5));
        _clock.Step(1);
        Assert.Equal("\ufffd\ufffd", Assert.Single(sampler.Sample(withProcesses: true).TopProcesses).Name);
    }
}
