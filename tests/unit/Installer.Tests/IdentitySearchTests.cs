using System.Diagnostics;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Init;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Installer.Tests;

public sealed class IdentitySearchTests
{
    private const string Node = "mac-525400000001";

    private readonly List<DiskInfo> _disks = [];
    private readonly Dictionary<string, string[]> _held = [];
    private readonly List<string> _read = [];
    private readonly TaskCompletionSource<NodeIdentity> _admitted = new();
    private readonly TaskCompletionSource<NodeIdentity?> _asks = new();

    [Fact]
    public async Task Every_identity_of_every_disk_is_tried_before_the_board_asks()
    {
        string[] pems = [Identity(), Identity(), Identity()];
        Plug("mmcblk0", pems[0], pems[1]);
        Plug("sda", pems[1], pems[2]);
        IdentitySearch search = Search();
        NodeIdentity? shown = null;
        foreach (string pem in pems)
        {
            shown = await NextAsync(search, shown);
            Assert.Equal(pem, shown.Pem);
        }
        Task<NodeIdentity> next = NextAsync(search, shown);
        // People may know the board by the first one.
        Assert.Equal(pems[0], (await _asks.Task)!.Pem);
        NodeIdentity admitted = NodeIdentity.Parse(Identity())!;
        _admitted.SetResult(admitted);
        Assert.Same(admitted, await next);
    }

    [Fact]
    public async Task A_disk_that_turns_up_while_the_board_asks_is_tried_and_the_asking_ends()
    {
        Plug("sda");
        IdentitySearch search = Search();
        Task<NodeIdentity> next = NextAsync(search, null);
        Assert.Null(await _asks.Task);
        string pem = Identity();
        Plug("mmcblk0", pem);
        Assert.Equal(pem, (await next).Pem);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _admitted.Task);
    }

    [Fact]
    public async Task A_disk_that_is_known_to_hold_one_is_waited_for()
    {
        Task<NodeIdentity> next = Search().NextAsync(null, TimeSpan.FromMinutes(5), TestContext.Current.CancellationToken);
        string pem = Identity();
        Plug("mmcblk0", pem);
        Assert.Equal(pem, (await next).Pem);
        Assert.False(_asks.Task.IsCompleted);
    }

    [Fact]
    public async Task Once_the_appliance_has_accepted_a_connection_no_disk_is_looked_at_any_more()
    {
        Plug("mmcblk0", Identity());
        IdentitySearch search = Search();
        NodeIdentity shown = await NextAsync(search, null);
        search.End();
        _read.Clear();
        Plug("sda", Identity());
        _admitted.SetResult(NodeIdentity.Parse(Identity())!);
        Assert.Same(await _admitted.Task, await NextAsync(search, shown));
        Assert.Empty(_read);
    }

    [Fact]
    public async Task What_disks_hold_is_tried_a_bounded_number_of_times()
    {
        Plug("mmcblk0", [.. Enumerable.Range(0, IdentitySearch.MaximumCandidates + 5).Select(_ => Identity())]);
        IdentitySearch search = Search();
        _admitted.SetResult(NodeIdentity.Parse(Identity())!);
        NodeIdentity? shown = null;
        for (int i = 0; i < IdentitySearch.MaximumCandidates; i++)
        {
            shown = await NextAsync(search, shown);
            Assert.Contains(shown.Pem, _held["mmcblk0"]);
        }
        Assert.Same(await _admitted.Task, await NextAsync(search, shown));
    }

    [Fact]
    public void A_disk_gives_its_record_and_both_identities_of_its_system_but_no_other_boards()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "mounting needs root");
        string folder = Directory.CreateTempSubdirectory("identity-").FullName;
        string[] pems = [Identity(), Identity(), Identity(), Identity("mac-525400000002")];
        string tree = Directory.CreateDirectory(Path.Combine(folder, "tree/etc/bootstrap")).FullName;
        string disk = Path.Combine(folder, "disk"), system = Path.Combine(folder, "system");
        File.WriteAllText(Path.Combine(tree, "node.pem"), pems[2]);
        File.WriteAllText(Path.Combine(tree, "node-next.pem"), pems[1]);
        using (FileStream file = File.Create(disk))
        {
            file.Position = IdentityRecord.FirstPlace;
            file.Write(IdentityRecord.Of(pems[0]));
            file.Write(IdentityRecord.Of(pems[3]));
        }
        Run("mke2fs", "-q", "-t", "ext4", "-d", Path.Combine(folder, "tree"), system, "16M");
        string loop = Run("losetup", "--find", "--show", system).Trim();
        try
        {
            string mountPoint = Directory.CreateDirectory(Path.Combine(folder, "mnt")).FullName;
            Assert.Equal(pems[..3],
                DiskIdentity.FindOn(disk, ["/dev/null", loop], mountPoint, NodeId.Parse(Node), TestImage.Authority, _ => { })
                .Select(identity => identity.Pem));
        }
        finally
        {
            Run("losetup", "--detach", loop);
            Directory.Delete(folder, recursive: true);
        }
    }

    private IdentitySearch Search() => new(
        () => { lock (_disks) { return [.. _disks]; } },
        disk =>
        {
            _read.Add(disk.Name);
            return [.. _held[disk.Name].Select(pem => NodeIdentity.Parse(pem)!)];
        },
        (known, stop) =>
        {
            _asks.TrySetResult(known);
            stop.Register(() => _admitted.TrySetCanceled(stop));
            return _admitted.Task;
        },
        new HastyTime());

    private static Task<NodeIdentity> NextAsync(IdentitySearch search, NodeIdentity? refused) =>
        search.NextAsync(refused, TimeSpan.Zero, TestContext.Current.CancellationToken);

    private void Plug(string disk, params string[] pems)
    {
        lock (_disks)
        {
            _held[disk] = pems;
            _disks.Add(new DiskInfo(disk, 1 << 30, 512, "sd", "", disk, false, false));
        }
    }

    private static string Identity(string name = Node)
    {
        (ECDsa key, X509Certificate2 certificate) = TestImage.Issue(name);
        return NodeIdentity.Create(certificate.RawData, key).Pem;
    }

    private static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {output}");
        return output;
    }
}
