using System.Net.Http.Json;
using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

/// <summary>A customisation profile, from the order to the running system.</summary>
public class ProfileTests
{
    private const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ+cd0LvmJOto+QgKdgxiI/TP1MgRZFsqZgkR08yh11D test",
        Token = "s3cr3t-of-the-lab";

    /// <summary>With cloud-init, whose own seed names the machine otherwise, where there is time: it takes an emulated board
    /// minutes.</summary>
    private static readonly string s_image = Lab.IsSoak ? "cloud-amd64" : "demo-amd64";

    private static readonly string[] s_cloudInitFacts =
    [
        "cloud-init status --wait && test \"$(cloud-init query v1.instance_id)\" = from-the-seed", "grep -w lab-7 /etc/hosts",
    ];

    [Fact]
    public async Task An_installed_system_is_as_its_profile_says_whatever_cloud_init_says()
    {
        await using Lab lab = await Lab.StartAsync();
        await lab.ImportAsync(s_image);
        VirtualBoard board = await lab.PowerOnAsync(lab.Plan(BoardKind.X86));
        await lab.WaitForNodeAsync(board, "waits", node => node.Text("link") == "net-inst");
        string network = VirtualRack.Address[..VirtualRack.Address.LastIndexOf('.')];
        await SendAsync(HttpMethod.Patch, $"nodes/{board.Options.NodeId}", new { name = "pi-07" });
        await SendAsync(HttpMethod.Put, "values/nodes/pi-07", new { seat = "window", address = $"{network}.77" });
        await SendAsync(HttpMethod.Put, "profiles/classroom", new
        {
            hostName = "lab-{{ node.number }}",
            users = new[] { new { name = "ada", fullName = "Ada", groups = new[] { "video" }, sudo = true, keys = new[] { Key } } },
            timeZone = "Europe/Berlin",
            networks = new[] { new { @interface = "{{ node.mac }}", address = "{{ value.address }}/24" } },
            files = new[] { new { path = "/home/ada/.config/seat",
            content = "{{ value.seat }} of {{ node.hostname }}, {{ secret.token }}\n", owner = "ada", mode = "0600" } },
            firstBootScript = "#!/bin/sh\necho \"hello from {{ node.hostname }}\"\necho run >>/var/lib/first-boots\nexit 3\n",
            secrets = new { token = Token },
        });

        Guid job = await lab.OrderAsync("install", board, s_image, new { profile = "classroom" });
        JsonNode task = (await lab.WaitForEndAsync(job))[0];
        Assert.Equal(("succeeded", ""), (task.Text("state"), task.Text("cause")));
        Assert.Equal("the system is installed and runs, but not all of its first start was done: the profile's first-boot script ended " +
            "with exit code 3", task.Text("note"));
        JsonNode log = await lab.Appliance.GetAsync($"tasks/{task.Text("id")}/log", lab.Cancel);
        Assert.Contains(log.AsArray(), line => line.Text("line") == "hello from lab-7");
        Assert.DoesNotContain(Token, log.ToJsonString());
        // The image has no package tzdata, which is said where NetInst speaks.
        JsonNode spoken = await lab.Appliance.GetAsync($"nodes/{board.Options.NodeId}/log", lab.Cancel);
        Assert.Contains(spoken.AsArray(), line =>
            line.Text("line").Contains("no data of the time zone Europe/Berlin", StringComparison.Ordinal));
        JsonNode node = await lab.WaitForRunningAsync(board);
        Assert.Equal($"{network}.77", node.Text("address"));

        await lab.ExpectSuccessAsync(await lab.OrderAsync("reboot", board));
        await lab.WaitForRunningAsync(board);
        string[] facts =
        [
            .. Lab.IsSoak ? s_cloudInitFacts : [], "test \"$(cat /etc/hostname)\" = lab-7", "test \"$(hostname)\" = lab-7",
            "test \"$(readlink /etc/localtime)\" = /usr/share/zoneinfo/Europe/Berlin", "test \"$(wc -l </var/lib/first-boots)\" = 1",
            $"test \"$(cat /home/ada/.config/seat)\" = 'window of lab-7, {Token}'",
            "test \"$(stat -c %U:%G:%a /home/ada/.config/seat)\" = ada:ada:600",
            $"grep -qx '{Key}' /home/ada/.ssh/authorized_keys", "test \"$(stat -c %U:%a /home/ada/.ssh)\" = ada:700",
            "id -nG ada | grep -qw video", "pwck -rq", "grpck -r",
        ];
        foreach (string fact in facts)
        {
            await lab.ExpectSuccessAsync(await lab.OrderAsync("run", board, parameters: new { shell = fact }));
        }

        Task<JsonNode> SendAsync(HttpMethod method, string path, object body) =>
            lab.Appliance.SendAsync(method, path, JsonContent.Create(body), lab.Cancel);
    }
}
