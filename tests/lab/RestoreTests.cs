using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

public class RestoreTests
{
    private const string Other = "10.77.0.3";

    [Fact]
    public async Task An_appliance_restored_on_another_machine_reinstalls_its_nodes_without_a_click()
    {
        await using Lab lab = await Lab.StartAsync(addressServer: true);
        await lab.ImportAsync("tiny-arm64");
        VirtualBoard board = await lab.InstallAsync(lab.Plan(BoardKind.Virt), "tiny-arm64");
        string passphrase = Path.Combine(lab.Folder, "passphrase"), backup = Path.Combine(lab.Folder, "backup"),
            data = Path.Combine(lab.Folder, "other");
        await File.WriteAllTextAsync(passphrase, "correct horse battery staple\n", lab.Cancel);
        // While it runs; then its machine is gone.
        await RunAsync(lab, "backup", backup, "--images", "--data", Path.Combine(lab.Folder, "data"), "--passphrase-file", passphrase);
        await lab.KillApplianceAsync();
        await RunAsync(lab, "restore", backup, "--data", data, "--passphrase-file", passphrase);
        int before = board.ConsoleText.Length;
        await using RackProcess machine = await lab.Rack.StartMachineAsync(1, $"{Other}/24",
            [Repository.Program, "serve", "--data", data, "--interface", "eth0", "--dhcp", "proxy"]);
        await machine.Output.WaitForAsync("ready", lab.Cancel);
        await machine.Output.WaitForAsync($"{board.Options.NodeId} connected as Slave", lab.Cancel);

        await CurlAsync(lab, "jobs", $$"""{"kind":"install","nodes":["{{board.Options.NodeId}}"],"image":"tiny-arm64"}""");
        await machine.Output.WaitForAsync($"{board.Options.NodeId} connected as NetInst", lab.Cancel);
        await board.WaitForConsoleAsync("tiny: started", lab.Cancel, before);
        JsonNode jobs = await PollAsync(lab, "jobs", found => found.AsArray().All(job => job!["ended"]!.GetValue<bool>()));
        Assert.Equal(["1", "1"], jobs.AsArray().Select(job => job!["counts"]!["succeeded"]!.ToString()));
        Assert.Empty((await CurlAsync(lab, "unapproved")).AsArray());
    }

    private static async Task RunAsync(Lab lab, params string[] arguments)
    {
        await using RackProcess run = await lab.Rack.StartAsync([Repository.Program, .. arguments]);
        Assert.True(await run.Exited.WaitAsync(lab.Cancel) == 0, string.Join('\n', run.Errors.Lines));
    }

    private static async Task<JsonNode> PollAsync(Lab lab, string path, Predicate<JsonNode> isSo)
    {
        while (true)
        {
            JsonNode found = await CurlAsync(lab, path);
            if (isSo(found))
            {
                return found;
            }
            await Task.Delay(TimeSpan.FromMilliseconds(500), TimeProvider.System, lab.Cancel);
        }
    }

    /// <summary>Asks the restored appliance, with the token that the old one had made.</summary>
    private static async Task<JsonNode> CurlAsync(Lab lab, string path, string? body = null)
    {
        string token = (await File.ReadAllTextAsync(Path.Combine(lab.Folder, "token"), lab.Cancel)).Trim();
        string[] post = body is null ? [] : ["--json", body];
        await using RackProcess curl = await lab.Rack.StartAsync(
            ["curl", "--silent", "--insecure", "--header", $"Authorization: Bearer {token}", .. post,
                $"https://{Other}:8443/api/v1/{path}"]);
        await curl.Exited.WaitAsync(lab.Cancel);
        return JsonNode.Parse(string.Join('\n', curl.Output.Lines))!;
    }
}
