using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary>Profiles, from a file to what a node is told.</summary>
public sealed class ProfileTests
{
    private const string Hash = "$6$salt$Qs3cr3tHashThatNobodyMaySee",
        Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ+cd0LvmJOto+QgKdgxiI/TP1MgRZFsqZgkR08yh11D test";

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_file_is_applied_shown_previewed_and_installed()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(line.Appliance.Info, NodeId.Parse("10000000abcdef01"),
            NodeRole.NetInst, "arm64", s_end);
        await File.WriteAllTextAsync(Path.Combine(line.Folder, "pi.hash"), Hash + "\n", s_end);
        await File.WriteAllTextAsync(Path.Combine(line.Folder, "motd"), "Welcome to {{ node.hostname }}, {{ value.room }}\n", s_end);
        string file = await FileAsync(line, $$$"""
            profiles:
            - name: classroom
              hostName: "lab-{{ node.name }}"
              users:
              - {name: pi, sudo: true, keys: ["{{{Key}}}"], passwordHash: !file pi.hash}
              files:
              - {path: /etc/motd, content: !file motd}
              firstBootScript: |
                #!/bin/sh
                echo first
              secrets: {token: !env TOKEN_OF_THE_TEST}
            values:
              nodes:
                node-cdef01: {room: "12"}
            """);
        string[] environment = ["env", "TOKEN_OF_THE_TEST=s3cr3t-t0k3n"];
        (int code, string output, string errors) = await line.RunAsync(environment, "", "profiles", "apply", "-f", file);
        Assert.Equal((0, ""), (code, errors));
        Assert.Matches("classroom +added", output);
        Assert.Matches("node node-cdef01 +set", output);
        Assert.Matches("classroom +unchanged", (await line.RunAsync(environment, "", "profiles", "apply", "-f", file)).Output);
        Assert.Matches("classroom +lab-{{ node.name }} +pi", (await line.RunAsync("profiles", "list")).Output);
        Assert.Matches("node node-cdef01 +room +12", (await line.RunAsync("profiles", "values")).Output);

        // What is shown can be applied again, and changes nothing: secrets that it does not mention stay.
        (_, string shown, _) = await line.RunAsync("profiles", "show", "classroom");
        Assert.DoesNotContain("s3cr3t", shown, StringComparison.OrdinalIgnoreCase);
        Assert.Matches("classroom +unchanged", (await line.RunAsync("profiles", "apply", "-f", await FileAsync(line, shown))).Output);

        (code, output, errors) = await line.RunAsync("profiles", "preview", "classroom", "node-cdef01");
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains("\n--- /etc/motd (root:root, 0644)\nWelcome to lab-node-cdef01, 12\n", output, StringComparison.Ordinal);
        Assert.Contains("(secret)", output, StringComparison.Ordinal);
        Assert.DoesNotContain(Hash, output, StringComparison.Ordinal);

        (code, output, errors) = await line.RunAsync("profiles", "check", "classroom", "all");
        Assert.Equal((0, ""), (code, errors));
        Assert.Matches("node-cdef01 +lab-node-cdef01", output);
        await using (SimulatedNode unknown = await SimulatedNode.ConnectAsync(line.Appliance.Info, NodeId.Parse("10000000abcdef02"),
            NodeRole.NetInst, "arm64", s_end))
        {
            (code, output, _) = await line.RunAsync("profiles", "check", "classroom", "--select", "cdef");
            Assert.Equal(1, code);
            Assert.Matches("node-cdef02 +.*room", output);
        }

        using (HttpClient api = line.Appliance.CreateClient())
        using (HttpResponseMessage imported = await api.PostAsync("images?name=tiny&architecture=arm64",
            new ByteArrayContent(TinyImage.Create()), s_end))
        {
            imported.EnsureSuccessStatusCode();
        }
        Assert.Equal(0, (await line.RunAsync("install", "node-cdef01", "--image", "tiny", "--profile", "classroom", "--yes")).Code);
        var order = Assert.IsType<InstallOrder>((await node.AcceptTaskAsync(s_end)).Order);
        Assert.Equal(("lab-node-cdef01", Hash), (order.Configuration.HostName, order.Configuration.Profile!.Users[0].PasswordHash));
        (code, _, errors) = await line.RunAsync("profiles", "delete", "classroom");
        Assert.Equal(1, code);
        Assert.Contains("is used by job", errors, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("profiles:\n- name: x\n  hostname: y\n", "line 3, column 3: 'hostname' is not known here")]
    [InlineData("profiles:\n- name: x\n  users:\n  - {name: pi, passwordHash: $6$plain$hash}\n", "line 4, column 30: a secret is not " +
        "written here: name where it is, by !file PATH, !env NAME or !prompt QUESTION")]
    [InlineData("profiles:\n- name: x\n  locale: !env LANG\n", "line 3, column 11: '!env' is not known here")]
    [InlineData("profiles:\n- name: x\n  secrets: {a: !env NO_SUCH_VARIABLE_HERE}\n", "line 3, column 16: there is no environment " +
        "variable 'NO_SUCH_VARIABLE_HERE'")]
    [InlineData("profiles:\n- description: x\n", "profile 1 has no name")]
    [InlineData("profiles:\n- name: x\n- name: x\n", "there are 2 profiles called 'x'")]
    public async Task A_file_that_is_not_understood_is_refused_with_its_place(string yaml, string reason)
    {
        await using CommandLine line = await CommandLine.StartAsync();
        (int code, string output, string errors) = await line.RunAsync("profiles", "apply", "-f", await FileAsync(line, yaml));
        Assert.Equal((2, ""), (code, output));
        Assert.EndsWith(reason, errors, StringComparison.Ordinal);
        Assert.Equal("[]", (await line.RunAsync("profiles", "list", "--json")).Output.Trim());
    }

    [Fact]
    public async Task Values_are_set_and_forgotten_one_by_one()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        Assert.Matches("dns +9.9.9.9\nroom +b=c",
            (await line.RunAsync("profiles", "set", "--group", "red", "room=b=c", "dns=9.9.9.9")).Output);
        Assert.DoesNotContain("room", (await line.RunAsync("profiles", "set", "--group", "red", "room=")).Output, StringComparison.Ordinal);
        Assert.Equal((1, "", "bootstrap: There is no node 'none'."), await line.RunAsync("profiles", "set", "--node", "none", "a=b"));
        Assert.Equal((2, "", "bootstrap: name a group (--group TAG) or a node (--node NAME)"),
            await line.RunAsync("profiles", "set", "a=b"));
        (int code, _, string errors) = await line.RunAsync("profiles", "apply", "-f", await FileAsync(line, "profiles:\n- {name: p, " +
            "timeZone: Mars/Crater}\n"));
        Assert.Equal(1, code);
        Assert.StartsWith("bootstrap: profile 'p': timeZone: there is no time zone 'Mars/Crater'", errors, StringComparison.Ordinal);
    }

    private static async Task<string> FileAsync(CommandLine line, string yaml)
    {
        string file = Path.Combine(line.Folder, "profiles.yaml");
        await File.WriteAllTextAsync(file, yaml, s_end);
        return file;
    }
}
