using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Profiles;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>Profiles: what they say is looked at before anything is stored or ordered, each node gets its own, and secrets come to nodes
/// alone.</summary>
public sealed class ProfileTests : JobTest
{
    private const string Key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ+cd0LvmJOto+QgKdgxiI/TP1MgRZFsqZgkR08yh11D test",
        Hash = "$6$salt$Qs3cr3tHashThatNobodyMaySee", Passphrase = "nobody-may-see-this", Token = "s3cr3t-t0k3n";

    private static readonly object s_classroom = new
    {
        description = "A classroom",
        hostName = "{{ value.room }}-{{ node.number }}",
        users = new[] { new { name = "pi", fullName = "Pupil of {{ value.room }}", groups = new[] { "video" }, sudo = true,
            keys = new[] { Key }, passwordHash = Hash } },
        locale = "de_DE.UTF-8",
        keyboard = new { layout = "de" },
        timeZone = "Europe/Berlin",
        wifi = new { ssid = "School {{ value.room }}", country = "DE", passphrase = Passphrase },
        networks = new[] { new { @interface = "{{ node.mac }}", address = "10.0.0.{{ node.number }}/24", gateway = "10.0.0.1",
            dns = new[] { "9.9.9.9" } } },
        packages = new[] { "git" },
        files = new[] { new { path = "/etc/app.conf", content = "host={{ node.hostname }}\ntoken={{ secret.token }}\nbraces={{ '{{' }}\n",
            owner = "pi", mode = "0600" } },
        firstBootScript = "#!/bin/sh\necho {{ node.serial }}\n",
        values = new { room = "lab" },
        secrets = new { token = Token },
    };

    [Fact]
    public async Task Each_node_gets_its_own_and_a_preview_shows_it_without_the_secrets()
    {
        await using SimulatedNode node = await NodeAsync("pi-07");
        await PutAsync("profiles/classroom", s_classroom);
        JsonNode preview = await PreviewAsync("pi-07");
        Assert.Equal("lab-7", preview["hostName"]!.ToString());
        Assert.Equal("host=lab-7\ntoken=(secret)\nbraces={{\n", preview["files"]![0]!["content"]!.ToString());
        Assert.Equal(("pi:pi", "0600"), (preview["files"]![0]!["owner"]!.ToString(), preview["files"]![0]!["mode"]!.ToString()));
        Assert.Equal(("(secret)", "School lab"), (preview["wifi"]!["passphrase"]!.ToString(), preview["wifi"]!["ssid"]!.ToString()));
        Assert.Equal("(secret)", preview["users"]![0]!["passwordHash"]!.ToString());
        Assert.Equal(node.Inventory.Interfaces[0].Mac.ToString(), preview["networks"]![0]!["interface"]!.ToString());
        Assert.Equal("#!/bin/sh\necho 10000000cccc0000\n", preview["firstBootScript"]!.ToString());

        // An unsaved profile is looked at with what is saved of the secrets, and is not saved.
        using HttpResponseMessage unsaved = await Api.PostAsJsonAsync("profiles/other/preview",
            new { node = "pi-07", profile = new { hostName = "x-{{ node.name }}" } }, s_end);
        Assert.Equal("x-pi-07", (await unsaved.Content.ReadFromJsonAsync<JsonNode>(s_end))!["hostName"]!.ToString());
        await RefusalAsync(HttpMethod.Get, "profiles/other", null, HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task All_that_speaks_against_an_order_is_told_at_once()
    {
        await using SimulatedNode first = await NodeAsync("pi-07"), same = await NodeAsync("rack-7", "10000000cccc0001"),
            none = await NodeAsync("kitchen", "10000000cccc0002");
        await PutAsync("profiles/classroom", s_classroom);
        using HttpResponseMessage answer = await Api.PostAsJsonAsync(
            "profiles/classroom/check",
            new { nodes = new[] { first.Id.ToString(), same.Id.ToString(), none.Id.ToString(), "10000000ffffffff" } }, s_end);
        Dictionary<string, JsonNode> fits = (await answer.Content.ReadFromJsonAsync<JsonArray>(s_end))!.ToDictionary(fit =>
            fit!["nodeName"]!.ToString(), fit => fit!);
        Assert.Equal(["kitchen", "pi-07", "rack-7"], fits.Keys.Order(StringComparer.Ordinal));
        Assert.Contains("node.number", fits["kitchen"]["faults"]!.ToJsonString(), StringComparison.Ordinal);
        Assert.Single(new[] { "pi-07", "rack-7" }, name => fits[name]["hostName"]?.ToString() == "lab-7");
        Assert.Single(new[] { "pi-07", "rack-7" },
            name => fits[name]["faults"]!.AsArray().SingleOrDefault()?["reason"]!.ToString()
            .EndsWith("would be called 'lab-7' too", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task A_nodes_own_value_beats_its_groups_and_that_the_profiles()
    {
        await using SimulatedNode node = await NodeAsync("pi-07");
        await PutAsync("profiles/classroom", s_classroom);
        await Api.PatchAsJsonAsync($"nodes/{node.Id}", new { tags = new[] { "blue", "red" } }, s_end);
        await PutAsync("values/groups/red", new { room = "r2" });
        Assert.Equal("r2-7", (await PreviewAsync("pi-07"))["hostName"]!.ToString());
        await PutAsync("values/groups/blue", new { room = "r3" });
        string refusal = await RefusalAsync(HttpMethod.Post, "profiles/classroom/preview", new { node = "pi-07" });
        Assert.Contains("the groups 'blue' and 'red' have different values 'room'", refusal);
        await PutAsync("values/nodes/pi-07", new { room = "mine" });
        Assert.Equal("mine-7", (await PreviewAsync("pi-07"))["hostName"]!.ToString());
        JsonNode all = await GetAsync("values");
        Assert.Equal(("r2", "mine"), (all["groups"]!["red"]!["room"]!.ToString(), all["nodes"]![node.Id.ToString()]!["room"]!.ToString()));
        await PutAsync("values/nodes/pi-07", new { });
        await PutAsync("values/groups/blue", new { });
        Assert.Equal("r2-7", (await PreviewAsync("pi-07"))["hostName"]!.ToString());
    }

    [Fact]
    public async Task A_new_board_gets_the_profile_that_the_policy_names()
    {
        await ImportAsync();
        object Policy(string profile) =>
            new { installNewBoards = new { arm64 = "tiny" }, authorizedKeys = Array.Empty<string>(), profile, approveNewBoards = true };
        Assert.Equal("There is no profile 'lab'.", await RefusalAsync(HttpMethod.Put, "policy", Policy("lab")));
        await PutAsync("profiles/lab", new { name = "lab", hostName = "lab-{{ node.name }}" });
        await PutAsync("policy", Policy("lab"));
        Assert.Equal("The profile 'lab' is used by the policy for new boards: end or change that first.",
            await RefusalAsync(HttpMethod.Delete, "profiles/lab", null, HttpStatusCode.Conflict));
        await using SimulatedNode node = await ConnectAsync("10000000cccc0007");
        var order = (InstallOrder)(await node.AcceptTaskAsync(s_end)).Order;
        Assert.Equal($"lab-{(await GetAsync($"nodes/{node.Id}"))["name"]}", order.Configuration.HostName);

        await PutAsync("profiles/lab", new { name = "lab", hostName = "lab-{{ value.room }}" });
        await using SimulatedNode roomless = await ConnectAsync("10000000cccc0008");
        Assert.Contains("the profile 'lab' of new boards does not fit this one: ", (await roomless.ReceiveAsync<Wait>(s_end)).Reason,
            StringComparison.Ordinal);
        Assert.Single((await GetAsync("jobs")).AsArray());
    }

    [Fact]
    public async Task No_answer_no_job_and_no_file_of_the_database_has_a_secret()
    {
        await using SimulatedNode node = await NodeAsync("pi-07");
        await ImportAsync();
        var answers = new StringBuilder();
        answers.Append(await PutAsync("profiles/classroom", s_classroom)).Append(await PreviewAsync("pi-07"));
        await OrderAsync(new { kind = "install", nodes = new[] { "pi-07" }, image = "tiny", parameters = new { profile = "classroom" } });
        var order = (InstallOrder)(await node.AcceptTaskAsync(s_end)).Order;
        // The node has them, and nobody else.
        SystemProfile profile = order.Configuration.Profile!;
        Assert.Equal((Hash, Passphrase, $"host=lab-7\ntoken={Token}\nbraces={{{{\n"),
            (profile.Users[0].PasswordHash, profile.Wireless!.Passphrase, profile.Files[0].Content));
        foreach (string path in new[] { "profiles", "profiles/classroom", "jobs", "nodes", $"nodes/{node.Id}", $"nodes/{node.Id}/log",
            "values", "schedules" })
        {
            answers.Append(await Api.GetStringAsync(path, s_end));
        }
        string job = (await GetAsync("jobs"))[0]!["id"]!.ToString();
        answers.Append(await Api.GetStringAsync($"jobs/{job}", s_end)).Append(order).Append(profile).Append(profile.Users[0])
            .Append(profile.Wireless).Append(profile.Files[0]);
        AssertNoSecret(answers.ToString());
        AssertNoSecret(string.Join('\n',
            Appliance.Services.GetRequiredService<Database>().Read(c => c.Query<string>("SELECT parameters FROM jobs").ToList())));
        foreach (string file in Directory.EnumerateFiles(DataFolder, "appliance.db*"))
        {
            using var content = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            byte[] bytes = new byte[content.Length];
            content.ReadExactly(bytes);
            AssertNoSecret(Encoding.Latin1.GetString(bytes));
        }
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(DataFolder, "secrets.key")));
    }

    [Fact]
    public async Task A_secret_that_is_not_mentioned_stays_and_an_empty_one_is_forgotten()
    {
        JsonNode stored = await PutAsync("profiles/classroom", s_classroom);
        Assert.Equal((true, true, "token"),
            ((bool)stored["users"]![0]!["passwordSet"]!, (bool)stored["wifi"]!["passphraseSet"]!, stored["secretsSet"]![0]!.ToString()));
        // What was read can be written back as it is.
        JsonNode again = await PutAsync("profiles/classroom", stored);
        Assert.Equal(stored.ToJsonString(), again.ToJsonString());
        await Appliance.RestartAsync(() => { });
        again["users"]![0]!["passwordHash"] = "";
        again["wifi"]!["passphrase"] = "";
        JsonNode forgotten = await PutAsync("profiles/classroom", again);
        Assert.Equal((false, false), ((bool)forgotten["users"]![0]!["passwordSet"]!, (bool)forgotten["wifi"]!["passphraseSet"]!));
        forgotten["secrets"] = new JsonObject { ["token"] = "" };
        Assert.Contains("there is no secret 'token'", await RefusalAsync(HttpMethod.Put, "profiles/classroom", forgotten));
    }

    [Theory]
    [InlineData("""{"hostName":"{{ node.color }}"}""", "hostName: there is no variable 'node.color'")]
    [InlineData("""{"hostName":"a b"}""", "hostName: 'a b' is not a host name")]
    [InlineData("""{"hostName":"{{ node.hostname }}"}""", "hostName: the host name cannot be made of itself")]
    [InlineData("""{"hostName":"{{ node.name"}""", "hostName: '{{' in line 1 has no '}}'")]
    [InlineData("""{"hostName":"{{ exec ls }}"}""", "hostName: '{{ exec ls }}' is no variable")]
    [InlineData("""{"description":"x","timeZone":"Europe/Bielefeld"}""", "timeZone: there is no time zone 'Europe/Bielefeld'")]
    [InlineData("""{"timeZone":"../../etc/shadow"}""", "timeZone: there is no time zone")]
    [InlineData("""{"locale":"german"}""", "locale: 'german' is no locale")]
    [InlineData("""{"networks":[{"interface":"eth0","address":"10.0.0.256/24"}]}""",
        "networks[0].address: '10.0.0.256/24' is no address with its prefix")]
    [InlineData("""{"networks":[{"interface":"eth0","address":"10.0.0.5"}]}""",
        "networks[0].address: '10.0.0.5' is no address with its prefix")]
    [InlineData("""{"networks":[{"interface":"eth0","address":"10.0.0.5/24","dns":["dns.example"]}]}""",
        "networks[0].dns[0]: 'dns.example' is no IP address")]
    [InlineData("""{"networks":[{"interface":"wlan0","address":"10.0.0.5/24"}]}""", "networks: wlan0 is a wireless interface")]
    [InlineData("""{"networks":[{"interface":"eth0","address":"10.0.0.5/24","gateway":"10.0.1.1"}]}""",
        "networks[0].gateway: the gateway 10.0.1.1 is not in the subnet 10.0.0.0/24 of the address: the node could not reach it")]
    [InlineData("""{"networks":[{"interface":"eth0","address":"172.16.3.9/20","gateway":"172.16.16.1"}]}""",
        "networks[0].gateway: the gateway 172.16.16.1 is not in the subnet 172.16.0.0/20")]
    [InlineData("""{"networks":[{"interface":"eth0","address":"10.0.0.5/24","gateway":"10.0.0.5"}]}""",
        "networks[0].gateway: the gateway 10.0.0.5 is the node's own address")]
    [InlineData("""{"networks":[{"interface":"eth0","address":"10.0.0.5/24","gateway":"10.0.0.255"}]}""",
        "networks[0].gateway: 10.0.0.255 is the broadcast address of the subnet 10.0.0.0/24")]
    [InlineData("""{"networks":[{"interface":"eth0","address":"10.0.0.5/24","gateway":"fe80::1"}]}""",
        "networks[0].gateway: the gateway fe80::1 is not in the subnet")]
    [InlineData("""{"networks":[{"interface":"eth0","address":"10.0.0.0/24"}]}""",
        "networks[0].address: 10.0.0.0 is the address of the subnet 10.0.0.0/24 itself, not of a host in it")]
    [InlineData("""{"networks":[{"interface":"eth0","address":"10.0.7.255/21"}]}""",
        "networks[0].address: 10.0.7.255 is the broadcast address of the subnet 10.0.0.0/21, not of a host in it")]
    [InlineData("""{"networks":[{"interface":"eth0","address":"fd00:7::/64"}]}""",
        "networks[0].address: fd00:7:: is the address of the subnet fd00:7::/64 itself")]
    [InlineData("""{"firstBootScript":"#!/bin/sh\r\necho hello\r\n"}""",
        "firstBootScript: the script has the line ends of Windows (CR LF), and would not run")]
    [InlineData("""{"firstBootScript":"#!/usr/bin/env python3\r\nprint()\n"}""",
        "firstBootScript: the script has the line ends of Windows (CR LF), and would not run")]
    [InlineData("""{"users":[{"name":"ada","keys":["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0q ada"]}]}""",
        "users[0].keys[0]: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0q…' is cut short or damaged")]
    [InlineData("""{"users":[{"name":"ada","keys":["ssh-rsa """ +
        """AAAAC3NzaC1lZDI1NTE5AAAAIJ+cd0LvmJOto+QgKdgxiI/TP1MgRZFsqZgkR08yh11D ada"]}]}""",
        "users[0].keys[0]: 'ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJ+cd0Lv…' is said to be ssh-rsa, and holds another type of key")]
    [InlineData("""{"files":[{"path":"/etc/../root/x"}]}""", "files[0].path: '/etc/../root/x' is no path of a file")]
    [InlineData("""{"files":[{"path":"/etc/bootstrap/node.pem"}]}""", "files[0].path: nothing can be written in /etc/bootstrap")]
    [InlineData("""{"files":[{"path":"/etc/motd","mode":"4755"}]}""", "files[0].mode: '4755' is no mode")]
    [InlineData("""{"files":[{"path":"/a","content":"one\n{{ secret.none }}"}]}""",
        "files[0].content: in line 2, there is no secret 'none'")]
    [InlineData("""{"hostName":"{{ secret.none }}"}""", "hostName: 'secret.none' is a secret, which only")]
    [InlineData("""{"users":[{"name":"Pi"}]}""", "users[0].name: 'Pi' is no name of a user")]
    [InlineData("""{"users":[{"name":"pi","keys":["AAAA"]}]}""", "users[0].keys[0]: 'AAAA…' is not an OpenSSH public key")]
    [InlineData("""{"users":[{"name":"pi","passwordHash":"raspberry"}]}""", "users[0].passwordHash: this is no password hash")]
    [InlineData("""{"users":[{"name":"pi"},{"name":"pi"}]}""", "users: 'pi' is there more than once")]
    [InlineData("""{"users":[null]}""", "A list of the profile has null in it")]
    [InlineData("""{"wifi":{"ssid":"x","country":"Germany"}}""", "wifi.country: 'Germany' is no country")]
    [InlineData("""{"wifi":{"ssid":"x","country":"DE","passphrase":"short"}}""", "wifi.passphrase: a passphrase of WPA has 8 to 63")]
    [InlineData("""{"packages":["--allow-downgrades"]}""", "packages[0]: '--allow-downgrades' is no name of a package")]
    [InlineData("""{"firstBootScript":"echo hello"}""", "firstBootScript: a script's first line names its interpreter")]
    [InlineData("""{"cloudInit":"users: []"}""", "cloudInit: user-data of cloud-init begins with")]
    [InlineData("""{"keptPaths":["home"]}""", "keptPaths[0]: 'home' is no path")]
    [InlineData("""{"hostname_":"x"}""", "In hostname_, what was given is not understood.")]
    [InlineData("""{"name":"other"}""", "The profile is called 'other' here and 'p' in the address.")]
    public async Task What_cannot_be_is_refused_with_its_place_and_nothing_is_stored(string body, string sentence)
    {
        string refusal = await RefusalAsync(HttpMethod.Put, "profiles/p", JsonNode.Parse(body));
        Assert.StartsWith(sentence, refusal, StringComparison.Ordinal);
        Assert.DoesNotContain("raspberry", refusal);
        Assert.Empty((await GetAsync("profiles")).AsArray());
    }

    [Fact]
    public async Task What_only_a_node_tells_is_refused_when_the_job_is_ordered_and_nothing_is_made()
    {
        await using SimulatedNode one = await NodeAsync("pi-07"), two = await NodeAsync("server", "10000000cccc0001");
        await ImportAsync();
        await PutAsync("profiles/numbered", new { hostName = "lab-{{ node.number }}" });
        await PutAsync("profiles/addressed", new { networks = new[] { new { @interface = "eth0", address = "{{ value.address }}/24" } } });
        await PutAsync("profiles/same", new { hostName = "same" });
        await PutAsync("values/nodes/pi-07", new { address = "10.0.0.300" });
        Assert.Equal("The profile 'numbered' does not fit server: hostName: {{ node.number }} is empty: this node's name has no number " +
            "at its end. Nothing was ordered.", await RefuseAsync("numbered", "pi-07", "server"));
        Assert.Equal("The profile 'addressed' does not fit pi-07: networks[0].address: '10.0.0.300/24' is no address with its prefix, " +
            "such as 10.0.0.5/24. Nothing was ordered.", await RefuseAsync("addressed", "pi-07"));
        Assert.Contains("networks[0].address: there is no value 'address'", await RefuseAsync("addressed", "server"));
        Assert.Contains("pi-07 and server would both have the host name 'same'", await RefuseAsync("same", "pi-07", "server"));
        Assert.Equal("There is no profile 'none': see the list of profiles. Nothing was ordered.", await RefuseAsync("none", "pi-07"));
        Assert.Empty((await GetAsync("jobs")).AsArray());

        Task<string> RefuseAsync(string profile, params string[] nodes) =>
            RefusalAsync(HttpMethod.Post, "jobs", new { kind = "install", nodes, image = "tiny", parameters = new { profile } });
    }

    [Fact]
    public async Task The_installed_system_gets_what_is_left_and_how_that_ends_is_noted()
    {
        await using SimulatedNode node = await NodeAsync("pi-07");
        await ImportAsync();
        await PutAsync("profiles/classroom", s_classroom);
        string job = await OrderAsync(new
        {
            kind = "install",
            nodes = new[] { "pi-07" },
            image = "tiny",
            parameters = new { profile = "classroom" }
        });
        Guid task = (await node.AcceptTaskAsync(s_end)).TaskId;
        await node.SendAsync(new TaskEnded(task, true, false, "", DiskState.Installed), s_end);
        await Poll.UntilAsync(() => GetAsync(job), j => Phase(j) == "starting", s_end);
        await node.RestartAsync(NodeRole.Slave, installId: task, cancellation: s_end);
        StartTask first = await node.AcceptTaskAsync(s_end);
        Assert.Equal(task, first.TaskId);
        var order = (FirstBootOrder)first.Order;
        Assert.Equal((true, "git", false), (order.GeneratesLocale, order.Packages[0], order.Again));
        JsonNode running = await UntilAsync(job, "running");
        Assert.Equal("first-boot", Phase(running));
        Assert.Equal("installed", (await GetAsync($"nodes/{node.Id}"))["lifecycle"]!.ToString());

        // The link may break meanwhile: the same order comes again, and says so.
        await node.RestartAsync(NodeRole.Slave, installId: task, cancellation: s_end);
        Assert.True(((FirstBootOrder)(await node.ReceiveAsync<StartTask>(s_end)).Order).Again);
        await node.SendAsync(new TaskEnded(task, false, false, "the profile's first-boot script ended with exit code 3",
            DiskState.Untouched, ExitCode: 3), s_end);
        JsonNode ended = (await UntilAsync(job, "succeeded"))["tasks"]![0]!;
        Assert.Equal("the system is installed and runs, but not all of its first start was done: the profile's first-boot script ended " +
            "with exit code 3", ended["note"]!.ToString());
        Assert.Equal("installed", ended["disk"]!.ToString());
    }

    [Fact]
    public async Task A_profile_in_use_cannot_be_deleted()
    {
        await using SimulatedNode node = await NodeAsync("pi-07");
        await ImportAsync();
        await PutAsync("profiles/plain", new { });
        var job = new { kind = "install", nodes = new[] { "pi-07" }, image = "tiny", parameters = new { profile = "plain" } };
        using (HttpResponseMessage added = await Api.PostAsJsonAsync("schedules", new { name = "nightly", cron = "0 3 * * *", job }, s_end))
        {
            Assert.Equal(HttpStatusCode.Created, added.StatusCode);
        }
        Assert.StartsWith("The profile 'plain' is used by schedule 'nightly'",
            await RefusalAsync(HttpMethod.Delete, "profiles/plain", null, HttpStatusCode.Conflict));
        (await Api.DeleteAsync("schedules/nightly", s_end)).EnsureSuccessStatusCode();
        string ordered = await OrderAsync(job);
        Assert.StartsWith("The profile 'plain' is used by job",
            await RefusalAsync(HttpMethod.Delete, "profiles/plain", null, HttpStatusCode.Conflict));
        await FailAsync(node, final: true);
        await UntilAsync(ordered, "failed");
        Assert.Equal(HttpStatusCode.NoContent, (await Api.DeleteAsync("profiles/plain", s_end)).StatusCode);
        await RefusalAsync(HttpMethod.Delete, "profiles/plain", null, HttpStatusCode.NotFound);
    }

    [Fact]
    public void Templates_replace_variables_and_nothing_else()
    {
        string text = Template.Fill("a {{node.name}} {{  value.x }} {{ '{{' }} x }} $1 %s",
            name => (name == "node.name" ? "{{ value.x }}" : "1", ""), out string fault);
        Assert.Equal(("a {{ value.x }} 1 {{ x }} $1 %s", ""), (text, fault));
    }

    private static string? Phase(JsonNode job) => job["tasks"]![0]!["phase"]?.ToString();

    private static void AssertNoSecret(string text) =>
        Assert.All(new[] { Hash, Passphrase, Token }, secret => Assert.DoesNotContain(secret, text, StringComparison.Ordinal));

    private string DataFolder => Appliance.Services.GetRequiredService<ApplianceOptions>().DataFolder;

    private async Task<SimulatedNode> NodeAsync(string name, string id = "10000000cccc0000")
    {
        SimulatedNode node = await ConnectAsync(id);
        (await Api.PatchAsJsonAsync($"nodes/{id}", new { name }, s_end)).EnsureSuccessStatusCode();
        return node;
    }

    private async Task<JsonNode> PutAsync(string path, object body)
    {
        using HttpResponseMessage answer = await Api.PutAsJsonAsync(path, body, s_end);
        string text = await answer.Content.ReadAsStringAsync(s_end);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }

    private async Task<JsonNode> PreviewAsync(string node)
    {
        using HttpResponseMessage answer = await Api.PostAsJsonAsync("profiles/classroom/preview", new { node }, s_end);
        string text = await answer.Content.ReadAsStringAsync(s_end);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonNode.Parse(text)!;
    }
}
