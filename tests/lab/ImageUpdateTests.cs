using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Bootstrap.Lab.Tests;

/// <summary>An image in the place of a system that people have used.</summary>
public partial class ImageUpdateTests
{
    private const string MachineId = "0123456789abcdef0123456789abcdef";

    /// <summary>Somebody uses the system.</summary>
    private const string Inhabit = $"""
        set -e
        echo 'ada:x:1234:1235:Ada:/home/ada:/bin/sh' >>/etc/passwd
        echo 'ada:x:1235:' >>/etc/group
        mkdir -p /home/ada/letters /etc/ssh
        echo hers >/home/ada/letters/notes
        head -c 20971520 /dev/urandom >/home/ada/large
        sha256sum /home/ada/large >/home/ada/large.sha256
        chown -R 1234:1235 /home/ada
        chmod 640 /home/ada/letters/notes
        echo changed >/etc/ssh/ssh_host_lab_key
        chmod 600 /etc/ssh/ssh_host_lab_key
        echo {MachineId} >/etc/machine-id
        echo lost >/etc/not-kept
        sync
        """;

    /// <summary>It is as he left it, but for what nobody asked to keep.</summary>
    private const string AsBefore = $"""
        set -ex
        test "$(cat /home/ada/letters/notes)" = hers
        test "$(stat -c %u:%g:%a /home/ada/letters/notes)" = 1234:1235:640
        sha256sum -c /home/ada/large.sha256
        test "$(cat /etc/ssh/ssh_host_lab_key)" = changed
        test "$(stat -c %u:%a /etc/ssh/ssh_host_lab_key)" = 0:600
        test "$(cat /etc/machine-id)" = {MachineId}
        grep '^ada:x:1234:1235:' /etc/passwd
        grep '^ada:x:1235:' /etc/group
        test ! -e /etc/not-kept
        """;

    [Fact]
    public async Task An_update_keeps_what_people_have_through_a_power_cut_or_leaves_the_node_to_its_own_system()
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync("demo-arm64");
        BoardOptions plan = lab.Plan(BoardKind.Virt);
        VirtualBoard board = await lab.InstallAsync(plan, "demo-arm64");
        await lab.ExpectSuccessAsync(await lab.OrderAsync("run", board, parameters: new { shell = Inhabit }));

        // What it should keep is not all on the root file system: it does not begin.
        await lab.ExpectSuccessAsync(await lab.OrderAsync("run", board,
            parameters: new { shell = "cp /etc/fstab /root && echo '/dev/vda9 /home ext4 noauto 0 0' >>/etc/fstab && sync" }));
        JsonNode refused = (await lab.WaitForEndAsync(await lab.OrderAsync("install", board, "demo-arm64", new { update = true })))[0];
        Assert.Equal(("failed", "untouched"), (refused.Text("state"), refused.Text("disk")));
        Assert.Contains("/home on a file system of its own (/dev/vda9)", refused.Text("cause"), StringComparison.Ordinal);
        await lab.WaitForNodeAsync(board, "runs its own system", node => node.Text("link") == "slave");
        await lab.ExpectSuccessAsync(await lab.OrderAsync(
            "run", board, parameters: new { shell = "grep /dev/vda9 /etc/fstab && mv /root/fstab /etc/fstab && sync" }));

        Guid job = await lab.OrderAsync("install", board, "demo-arm64", new { update = true });
        await lab.WaitForMidWriteAsync(job);
        await board.PowerCutAsync();
        Assert.Empty(new Disk(plan.Card).Partitions);
        string kept = Assert.Single(Directory.GetFiles(Path.Combine(lab.Folder, "data", "kept")));
        Assert.True(new FileInfo(kept).Length > 20 << 20);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(kept));

        board = await lab.PowerOnAsync(plan);
        await lab.ExpectSuccessAsync(job);
        await lab.WaitForRunningAsync(board);
        Assert.Contains("the appliance has what is kept of the old system already", board.ConsoleText, StringComparison.Ordinal);
        await lab.ExpectSuccessAsync(await lab.OrderAsync("run", board, parameters: new { shell = AsBefore }));
        Assert.Empty(Directory.GetFiles(Path.Combine(lab.Folder, "data", "kept")));

        // Of the image only what the system itself had changed was written.
        JsonNode log = await lab.Appliance.GetAsync($"nodes/{board.Options.NodeId}/log", lab.Cancel);
        Match already = log.AsArray().Select(line => AlreadyThere().Match(line.Text("line"))).Last(match => match.Success);
        long there = long.Parse(already.Groups[1].Value, CultureInfo.InvariantCulture),
            all = long.Parse(already.Groups[2].Value, CultureInfo.InvariantCulture);
        Assert.True(there * 2 > all, already.Value);
        await lab.ShutDownAsync(board);
        Disk card = new(plan.Card);
        await card.CheckAsync(card.Root);
    }

    [GeneratedRegex("^([0-9]+) of ([0-9]+) bytes were on the disk already")]
    private static partial Regex AlreadyThere();
}
