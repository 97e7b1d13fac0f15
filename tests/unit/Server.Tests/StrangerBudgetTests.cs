using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Server.Features.Access;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Storage;
using Bootstrap.Support;
using Dapper;
using Microsoft.Extensions.DependencyInjection;

namespace Bootstrap.Server.Tests;

/// <summary>A thousand strangers, each at an address of his own: what they cost is bounded, and what they may crowd out is each
/// other.</summary>
public sealed class StrangerBudgetTests
{
    [Fact]
    public async Task A_crowd_of_strangers_is_worth_a_bounded_number_of_notices_lines_and_events()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync(approve: false);
        UnapprovedBoards boards = appliance.Services.GetRequiredService<UnapprovedBoards>();
        StrangerNotices notices = appliance.Services.GetRequiredService<StrangerNotices>();
        Database database = appliance.Services.GetRequiredService<Database>();
        int lines = appliance.Services.GetRequiredService<AuditLog>().List(null, null, 1000).Count;
        using var watching = new CancellationTokenSource();
        Task<int> told = CountAsync(appliance.Services.GetRequiredService<EventHub>(), watching.Token);

        for (int i = 0; i < UnapprovedBoards.Maximum + 200; i++)
        {
            using ECDsa key = NodeIdentity.CreateKey();
            var id = NodeId.Parse($"10000000{i:x8}");
            var address = new IPAddress([10, 0, (byte)(i >> 8), (byte)i]);
            UnapprovedBoard? board = boards.Add(new PublicKey(key), SimulatedNode.InventoryOf(id, "arm64"), address.ToString(),
                "it is new", out bool isNews);
            if (isNews)
            {
                notices.Note(board!, claims: i % 2 == 0);
            }
        }

        Assert.Equal(UnapprovedBoards.Maximum - UnapprovedBoards.ForKnownKeys, boards.List().Count);
        Assert.InRange(database.Read(c => c.ExecuteScalar<long>("SELECT count(*) FROM notices")), 0, StrangerNotices.Budget);
        Assert.InRange(appliance.Services.GetRequiredService<AuditLog>().List(null, null, 1000).Count - lines, 1,
            StrangerNotices.Budget + 1);
        Assert.Equal(0, database.Read(c => c.ExecuteScalar<long>("SELECT count(*) FROM nodes")));
        Assert.Equal(UnapprovedBoards.LongestRetrySeconds, UnapprovedBoards.RetrySeconds(UnapprovedBoards.Maximum + 200));
        await watching.CancelAsync();
        // No more than one for each second that this has taken, whatever the machine does meanwhile: far fewer than there were strangers.
        Assert.InRange(await told, 0, UnapprovedBoards.Maximum / 4);
    }

    [Fact]
    public async Task A_board_that_asks_gets_its_place_when_strangers_at_many_addresses_have_taken_all_of_them()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync(approve: false);
        UnapprovedBoards boards = appliance.Services.GetRequiredService<UnapprovedBoards>();
        Fill(boards, 200, perAddress: UnapprovedBoards.MaximumOfAddress, said => said);
        using ECDsa key = NodeIdentity.CreateKey();
        var node = NodeId.Parse("10000000aaaa0001");
        Assert.NotNull(Add(boards, key, node, "10.0.0.250"));
        // It stays, alone at its address, whatever those do who have more.
        Fill(boards, 200, perAddress: UnapprovedBoards.MaximumOfAddress, said => said);
        Assert.Contains(boards.List(), b => b.Id == node);
        Assert.Equal(UnapprovedBoards.Maximum - UnapprovedBoards.ForKnownKeys, boards.List().Count);

        // Somebody who has an address for each key: whoever asks has a place again at once.
        Fill(boards, 2000, perAddress: 1, said => said);
        Assert.NotNull(Add(boards, key, node, "10.0.9.9"));
        Assert.Contains(boards.List(), b => b.Id == node);
    }

    [Fact]
    public async Task Boards_whose_keys_are_or_were_nodes_have_places_that_no_stranger_takes()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        using HttpClient api = appliance.CreateClient();
        UnapprovedBoards boards = appliance.Services.GetRequiredService<UnapprovedBoards>();
        using ECDsa key = NodeIdentity.CreateKey();
        var node = NodeId.Parse("10000000aaaa0002");
        await SimulatedNode.EnrolAsync(appliance.Info, key, SimulatedNode.InventoryOf(node, "arm64"),
            TestContext.Current.CancellationToken);
        (await api.DeleteAsync($"nodes/{node}", TestContext.Current.CancellationToken)).EnsureSuccessStatusCode();
        Assert.NotNull(Add(boards, key, node, "10.0.0.1"));
        Fill(boards, 3000, perAddress: 1, said => said);
        Assert.Contains(boards.List(), b => b.Id == node);
    }

    [Fact]
    public async Task What_is_kept_of_strangers_and_what_is_listed_of_them_is_bounded_in_bytes()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync(approve: false);
        using HttpClient api = appliance.CreateClient();
        UnapprovedBoards boards = appliance.Services.GetRequiredService<UnapprovedBoards>();
        string longest = new('\u65e5', InventoryLimits.MaximumText);
        Fill(boards, 1024, perAddress: 1, said => (said with
        {
            Model = longest,
            Disks = [.. Enumerable.Repeat(said.Disks[0] with { Model = longest, Serial = longest }, 64)],
        }).Bounded());
        using ECDsa key = NodeIdentity.CreateKey();
        Add(boards, key, NodeId.Parse("10000000aaaa0003"), "10.0.9.9");
        Assert.InRange(boards.List().Sum(b => b.InventoryJson.Length), 8 << 20, 16 << 20);
        string listed = await api.GetStringAsync("unapproved", TestContext.Current.CancellationToken);
        Assert.InRange(listed.Length, 1 << 20, 6 << 20);
        JsonArray all = JsonNode.Parse(listed)!.AsArray();
        Assert.Equal(UnapprovedBoards.Maximum - UnapprovedBoards.ForKnownKeys, all.Count);
        // Who says no more than a board has to say is listed with it.
        Assert.Equal("Raspberry Pi 4 Model B Rev 1.4",
            all.Single(b => b!["id"]!.ToString() == "10000000aaaa0003")!["inventory"]!["model"]!.ToString());
    }

    private static UnapprovedBoard? Add(UnapprovedBoards boards, ECDsa key, NodeId id, string address) =>
        boards.Add(new PublicKey(key), SimulatedNode.InventoryOf(id, "arm64"), address, "it is new", out _);

    /// <summary>Boards with ever new keys ask.</summary>
    /// <param name="addresses">Each in the network 10.0.0.0/20.</param>
    private static void Fill(UnapprovedBoards boards, int addresses, int perAddress, Func<Inventory, Inventory> says)
    {
        for (int i = 0; i < addresses * perAddress; i++)
        {
            using ECDsa key = NodeIdentity.CreateKey();
            int at = i % addresses;
            Inventory inventory = says(SimulatedNode.InventoryOf(NodeId.Parse($"10000000{i:x8}"), "arm64"));
            boards.Add(new PublicKey(key), inventory, new IPAddress([10, 0, (byte)(at >> 8), (byte)at]).ToString(), "it is new", out _);
        }
    }

    [Fact]
    public void An_address_that_asks_more_often_than_it_was_told_to_waits_and_the_others_do_not()
    {
        var clock = new SettableClock();
        var budget = new AskBudget(clock);
        IPAddress hasty = IPAddress.Parse("2001:db8::1"), beside = IPAddress.Parse("2001:db8::ffff:2"), other = IPAddress.Parse("10.0.0.7");
        for (int i = 0; i < UnapprovedBoards.MaximumOfAddress; i++)
        {
            Assert.Null(budget.PauseOf(hasty));
            budget.Charge(hasty, 50);
        }
        clock.Advance(TimeSpan.FromSeconds(12));
        Assert.InRange(budget.PauseOf(hasty) ?? 0, 30, 38);
        Assert.InRange(budget.PauseOf(beside) ?? 0, 30, 38); // whoever has an IPv6 address has 64 bits of them
        Assert.Null(budget.PauseOf(other));
        clock.Advance(TimeSpan.FromSeconds(38));
        Assert.Null(budget.PauseOf(hasty));
        budget.Charge(hasty, 2); // it begins anew
        Assert.Null(budget.PauseOf(hasty));
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(40, 2)]
    [InlineData(100, 5)]
    [InlineData(1000, 50)]
    [InlineData(100_000, 60)]
    public void Boards_ask_the_more_seldom_the_more_there_are(int boards, int seconds) =>
        Assert.Equal(seconds, UnapprovedBoards.RetrySeconds(boards));

    private static async Task<int> CountAsync(EventHub events, CancellationToken cancellation)
    {
        int count = 0;
        try
        {
            await foreach (ApplianceEvent? e in events.WatchAsync(null, cancellation))
            {
                count += e?.Name == "unapproved" ? 1 : 0;
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // All have been counted.
        }
        return count;
    }
}
