using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json.Nodes;
using Bootstrap.Agent;
using Bootstrap.Agent.Commands;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>Whoever is logged in on a node is warned before its system goes.</summary>
public sealed class GraceTests : WorkJobTest
{
    private readonly RecordingPower _power = new();

    private protected override NodeSystem Machine => new(Root, Bin);

    private protected override ISystemPower? Power => _power;

    private string Said => Path.Combine(Folder, "said");

    [Theory]
    [InlineData("reboot", "This machine is restarted in 1 s. Save your work", "restart")]
    [InlineData("shutdown", "This machine is shut down in 1 s. Save your work", "power-off")]
    public async Task Users_are_warned_and_given_the_time_before_a_node_goes(string kind, string message, string done)
    {
        LogIn("ada");
        await ProgramAsync("wall", $"printf '%s' \"$*\" >>{Said}");
        JsonNode task = await OrderAsync(kind, new { graceSeconds = 1, message = "Save your work" });
        Assert.Equal(done, await _power.Done.Task.WaitAsync(s_end));
        Assert.Equal(message, await File.ReadAllTextAsync(Said, s_end));
        Assert.Contains("warning ada: 1 s", await LogAsync(task));
    }

    [Fact]
    public async Task A_cancellation_while_users_are_warned_leaves_the_node_running()
    {
        LogIn("ada");
        await ProgramAsync("wall", $"printf '%s' \"$*\" >>{Said}");
        JsonNode task = await OrderAsync("reboot", new { graceSeconds = 3600 });
        await Poll.UntilAsync(() => NowAsync(task), now => now["phase"]!.ToString() == "warning-users", s_end);
        await Poll.UntilAsync(() => Task.FromResult(File.Exists(Said) && File.ReadAllText(Said) == "This machine is restarted in 60 min."),
            said => said, s_end);
        using HttpResponseMessage cancelled = await Api.PostAsync($"tasks/{task["id"]}/cancel", null, s_end);
        Assert.Equal("cancelled", (await EndOfAsync(task))["state"]!.ToString());
        // It takes orders again, and nobody has restarted it.
        Assert.Equal("succeeded", (await DoAsync("run", new { command = new[] { "true" } }))["state"]!.ToString());
        Assert.False(_power.Done.Task.IsCompleted);
    }

    [Theory]
    [InlineData("nobody")] // no entry
    [InlineData("gone")] // his process is
    public async Task Where_nobody_is_logged_in_nothing_is_waited_for(string who)
    {
        LogIn("ada", who == "gone" ? int.MaxValue : 0);
        await ProgramAsync("wall", $"echo >>{Said}");
        await OrderAsync("reboot", new { graceSeconds = 3600 });
        Assert.Equal("restart", await _power.Done.Task.WaitAsync(s_end));
        Assert.False(File.Exists(Said));
    }

    [Fact]
    public async Task Without_utmp_logind_is_asked()
    {
        await ProgramAsync("loginctl", "echo ' 3 1000 ada seat0 tty1'; echo ' 4 1000 ada - 700 manager - no -'");
        await ProgramAsync("wall", $"echo >>{Said}");
        JsonNode task = await OrderAsync("reboot", new { graceSeconds = 1 });
        Assert.Equal("restart", await _power.Done.Task.WaitAsync(s_end));
        Assert.Contains("warning ada: 1 s", await LogAsync(task));
        Assert.True(File.Exists(Said));
    }

    /// <summary>Writes utmp(5) as login programs do.</summary>
    /// <param name="process">Of the session; 0: no session at all, but the entry of a start of the system.</param>
    private void LogIn(string user, int? process = null)
    {
        byte[] record = new byte[RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? 400 : 384];
        BinaryPrimitives.WriteInt16LittleEndian(record, (short)(process == 0 ? 2 : 7));
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(4), process ?? Environment.ProcessId);
        Encoding.ASCII.GetBytes("pts/0", record.AsSpan(8));
        Encoding.ASCII.GetBytes(user, record.AsSpan(44));
        Directory.CreateDirectory(Path.Combine(Root, "run"));
        File.WriteAllBytes(Path.Combine(Root, "run/utmp"), record);
    }
}
