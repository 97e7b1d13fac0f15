using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Link;
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

        int listed = 0;
        for (int i = 0; i < UnapprovedBoards.Maximum + 200; i++)
        {
            using ECDsa key = NodeIdentity.CreateKey();
            var id = NodeId.Parse($"10000000{i:x8}");
            UnapprovedBoard? board = boards.Add(new PublicKey(key), SimulatedNode.InventoryOf(id, "arm64"), new IPAddress(i + (10 << 24)).ToString(), "it is new", out bool isNews);
            listed += board is null ? 0 : 1;
            if (isNews)
            {
                notices.Note(board!, claims: i % 2 == 0);
            }
        }

        Assert.Equal(UnapprovedBoards.Maximum, listed);
        Assert.InRange(database.Read(c => c.ExecuteScalar<long>("SELECT count(*) FROM notices")), 0, StrangerNotices.Budget);
        Assert.InRange(appliance.Services.GetRequiredService<AuditLog>().List(null, null, 1000).Count - lines, 1, StrangerNotices.Budget + 1);
        Assert.Equal(0, database.Read(c => c.ExecuteScalar<long>("SELECT count(*) FROM nodes")));
        Assert.Equal(UnapprovedBoards.LongestRetrySeconds, UnapprovedBoards.RetrySeconds(UnapprovedBoards.Maximum + 200));
        await watching.CancelAsync();
        // No more than one for each second that this has taken, whatever the machine does meanwhile: far fewer than there were strangers.
        Assert.InRange(await told, 0, UnapprovedBoards.Maximum / 4);
    }

    [Theory]
    [InlineData(0, 2)]
    [InlineData(40, 2)]
    [InlineData(100, 5)]
    [InlineData(1000, 50)]
    [InlineData(100_000, 60)]
    public void Boards_ask_the_more_seldom_the_more_there_are(int boards, int seconds) => Assert.Equal(seconds, UnapprovedBoards.RetrySeconds(boards));

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
