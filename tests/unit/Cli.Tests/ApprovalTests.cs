using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Settings;
using Bootstrap.Support;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Cli.Tests;

/// <summary>Boards are made nodes by the keys that they show, on the command line.</summary>
public sealed class ApprovalTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_board_is_approved_by_the_key_that_the_list_and_its_console_show()
    {
        await using CommandLine line = await StartAsync();
        string key = await AskAsync(line, "10000000fade0001");
        (int code, string output, string errors) = await line.RunAsync("nodes", "unapproved");
        Assert.Equal((0, ""), (code, errors));
        Assert.Contains(key[..16], output, StringComparison.Ordinal);
        Assert.DoesNotContain("10000000fade0001", (await line.RunAsync("nodes", "list")).Output, StringComparison.Ordinal);

        Assert.Equal((2, "", $"bootstrap: '{key[..8]}' is not a key: give at least 16 hex digits, as 'bootstrap nodes unapproved' shows " +
            "them"), await line.RunAsync("nodes", "approve", key[..8]));
        Assert.Equal((1, "", $"bootstrap: no board with the key {new string('0', 16)} asks to be admitted: see 'bootstrap nodes " +
            "unapproved'"),
            await line.RunAsync("nodes", "approve", new string('0', 16)));
        (code, output, _) = await line.RunAsync("nodes", "approve", key[..16]);
        Assert.Equal(0, code);
        Assert.Contains("10000000fade0001", output, StringComparison.Ordinal);
        (_, output, _) = await line.RunAsync("nodes", "list", "--json");
        Assert.Equal("10000000fade0001", JsonDocument.Parse(output).RootElement.EnumerateArray().Single().GetProperty("id").GetString());
    }

    [Fact]
    public async Task All_new_boards_are_approved_at_once_and_none_that_claims_to_be_a_node()
    {
        await using CommandLine line = await StartAsync();
        string first = await AskAsync(line, "10000000fade0002");
        Assert.Equal(0, (await line.RunAsync("nodes", "approve", first)).Code);
        await AskAsync(line, "10000000fade0002"); // another key
        await AskAsync(line, "10000000fade0003");
        await AskAsync(line, "10000000fade0004");
        // Away from a terminal nobody says yes.
        Assert.Equal((1, "bootstrap: nothing was approved"), (await line.RunAsync("nodes", "approve", "--all")) is var (code, _, errors)
            ? (code, errors) : default);
        Assert.Equal(0, (await line.RunAsync("nodes", "approve", "--all", "--yes")).Code);
        (_, string left, _) = await line.RunAsync("nodes", "unapproved", "--json");
        JsonElement claim = JsonDocument.Parse(left).RootElement.EnumerateArray().Single();
        Assert.Equal(("10000000fade0002", first),
            (claim.GetProperty("id").GetString(), claim.GetProperty("claims").GetProperty("key").GetString()));
        Assert.Equal((1, "", "bootstrap: no new board asks to be admitted"), await line.RunAsync("nodes", "approve", "--all"));
        Assert.Equal(2, (await line.RunAsync("nodes", "approve")).Code);
    }

    [Fact]
    public async Task A_rejected_board_is_not_listed()
    {
        await using CommandLine line = await StartAsync();
        string key = await AskAsync(line, "10000000fade0005");
        Assert.Equal((0, "", ""), await line.RunAsync("nodes", "reject", key[..16]));
        Assert.Equal("[]", (await line.RunAsync("nodes", "unapproved", "--json")).Output.Trim());
    }

    [Fact]
    public async Task The_policy_says_in_words_what_it_gives_away()
    {
        await using CommandLine line = await StartAsync();
        Assert.Contains("a person approves each new board", (await line.RunAsync("policy", "show")).Output, StringComparison.Ordinal);
        (int code, string output, _) = await line.RunAsync("policy", "set", "--approve-new");
        Assert.Equal(0, code);
        Assert.Contains("every machine that reaches this network becomes a node", output, StringComparison.Ordinal);
    }

    private static async Task<CommandLine> StartAsync()
    {
        CommandLine line = await CommandLine.StartAsync();
        line.Appliance.Services.GetRequiredService<PolicyStore>().Set(Policy.Default);
        return line;
    }

    /// <summary>A board asks to be admitted.</summary>
    /// <returns>Its key's fingerprint.</returns>
    private static async Task<string> AskAsync(CommandLine line, string id)
    {
        using ECDsa key = NodeIdentity.CreateKey();
        Assert.Empty((await SimulatedNode.EnrolAsync(line.Appliance.Info, key, SimulatedNode.InventoryOf(NodeId.Parse(id), "arm64"),
            s_end)).Certificate);
        return Trust.FingerprintOf(new PublicKey(key)).ToString();
    }
}
