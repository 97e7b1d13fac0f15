using System.Text.Json.Nodes;

namespace Bootstrap.Lab.Tests;

/// <summary>A real stranger on the wire, with an implementation of its own (Stranger/stranger.py), while boards are installed beside
/// it.</summary>
public class HostileNeighbourTests
{
    private const int Boards = 4;
    private const string Address = "10.77.0.66";

    /// <summary>What no attempt may be answered with: enrolment gives a certificate's length, all else an HTTP status.</summary>
    private static readonly Dictionary<string, Func<JsonNode, bool>> s_refusals = new()
    {
        ["join token out of the boot files"] = got => got.GetValue<bool>(), // public by construction: it allows to ask
        ["idle connections"] = got => got.GetValue<bool>(),
        ["enrol"] = got => got.GetValue<int>() <= 0,
        ["link"] = got => got.GetValue<int>() is 0 or 403,
        ["manifest, plain"] = got => got.GetValue<int>() == 404,
        ["manifest, "] = got => got.GetValue<int>() is 0 or 403,
        ["image as one file"] = got => got.GetValue<int>() == 404,
        ["images in the list"] = got => got.AsArray().Count == 0,
        ["api "] = got => got.GetValue<int>() == 401,
        ["approve itself"] = got => got.GetValue<int>() == 401,
        ["guess a password"] = got => got.GetValue<int>() is 401 or 429,
        ["tftp without an acknowledgement"] = got => got.GetValue<int>() < 3 * 1500,
        ["end"] = got => got.GetValue<bool>(),
    };

    [Fact]
    public async Task Four_boards_are_installed_and_one_again_while_a_stranger_tries_to_get_in()
    {
        await using Lab lab = await Lab.StartAsync(approve: false);
        await lab.ImportAsync("tiny-arm64");
        string digest = (await lab.Appliance.GetAsync("images/tiny-arm64", lab.Cancel)).Text("digest");
        BoardOptions[] plans = [.. Enumerable.Range(1, Boards).Select(id => lab.Plan(BoardKind.Virt, id))];
        await using RackProcess stranger = await lab.Rack.StartMachineAsync(66, $"{Address}/24",
            ["python3", Path.Combine(Repository.Root, "tests/lab/Stranger/stranger.py"), VirtualRack.Address, digest,
            .. plans.Select(p => p.NodeId)]);

        VirtualBoard[] boards = await Task.WhenAll(plans.Select(lab.PowerOnAsync));
        // A person approves the boards whose consoles he reads: by these keys, whoever else says that he is one of them.
        string[] keys = await Task.WhenAll(boards.Select(board => KeyOfAsync(board, lab.Cancel)));
        JsonNode waiting = await lab.WaitForAsync("the boards ask", "unapproved", list => keys.All(key => Find(list, key) is not null));
        await lab.Appliance.ApproveAsync(keys.Select(key => Find(waiting, key)!), lab.Cancel);
        foreach (VirtualBoard board in boards)
        {
            await lab.WaitForNodeAsync(board, "waits", node => node.Text("link") == "net-inst");
        }
        Guid install = await lab.Appliance.OrderAsync("install", plans.Select(p => p.NodeId), "tiny-arm64", lab.Cancel);
        await lab.ExpectSuccessAsync(install);
        foreach (VirtualBoard board in boards)
        {
            await lab.WaitForRunningAsync(board);
        }
        // While it is open, the stranger claims that very node.
        await lab.ExpectSuccessAsync(await lab.OrderAsync("install", boards[0], "tiny-arm64"));
        await lab.WaitForRunningAsync(boards[0]);

        await stranger.Output.WaitForAsync("\"end\"", lab.Cancel);
        JsonNode[] attempts = [.. stranger.Output.Lines.Select(line => JsonNode.Parse(line)!)];
        foreach (JsonNode attempt in attempts)
        {
            string what = attempt.Text("try");
            Assert.True(s_refusals.First(r => what.StartsWith(r.Key, StringComparison.Ordinal)).Value(attempt["got"]!),
                $"{what}: {attempt["got"]}");
        }
        Assert.All(s_refusals.Keys, what => Assert.Contains(attempts, a => a.Text("try").StartsWith(what, StringComparison.Ordinal)));

        JsonArray nodes = (await lab.Appliance.GetAsync("nodes", lab.Cancel)).AsArray();
        Assert.Equal(plans.Select(p => p.NodeId).Order(), nodes.Select(n => n.Text("id")).Order());
        Assert.All(nodes, n => Assert.True(
            n!["key"] is not null && n["wantsApproval"]!.GetValue<bool>(), "people are told that somebody claims to be this node"));
        Assert.Contains((await lab.Appliance.GetAsync("audit", lab.Cancel)).AsArray(), e =>
            e.Text("what") == "Claim a node with another key" && e.Text("subject").Contains(Address, StringComparison.Ordinal));
        // Who answers discovery without a proof is none of the nodes that are found.
        JsonArray found = (await lab.Appliance.GetAsync("discovered?service=slave", lab.Cancel)).AsArray();
        Assert.All(found.Where(f => f!["isProven"]!.GetValue<bool>()), f => Assert.NotEqual(Address, f.Text("address")));
        Assert.Equal(Boards, found.Count(f => f!["isProven"]!.GetValue<bool>()));
    }

    /// <summary>What a person reads on the board's console.</summary>
    private static async Task<string> KeyOfAsync(VirtualBoard board, CancellationToken cancel)
    {
        const string words = "approve the board with key ";
        await board.WaitForConsoleAsync(words, cancel);
        return board.ConsoleText.Substring(board.ConsoleText.IndexOf(words, StringComparison.Ordinal) + words.Length, 16);
    }

    private static JsonNode? Find(JsonNode list, string key) =>
        list.AsArray().FirstOrDefault(b => b.Text("key").StartsWith(key, StringComparison.Ordinal));
}
