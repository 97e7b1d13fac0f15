using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary><c>bootstrap alerts</c>.</summary>
public sealed class AlertTests
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rules_are_shown_changed_made_and_put_back_and_what_was_not_named_stays()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        Assert.Matches("heat +temperature +above 80 +30 +all +yes +built-in", await RunAsync(line, "alerts", "rules", "--wide"));
        await RunAsync(line, "alerts", "set", "heat", "--above", "75");
        await RunAsync(line, "alerts", "disable", "heat");
        Assert.Matches("heat +temperature +above 75 +30 +all +no +changed", await RunAsync(line, "alerts", "rules", "--wide"));
        await RunAsync(line, "alerts", "enable", "heat");
        await RunAsync(line, "alerts", "remove", "heat");
        await RunAsync(line, "alerts", "set", "full", "--metric", "fs.used[/var]", "--above", "95.5", "--for", "10", "--select", "tag:web");
        string rules = await RunAsync(line, "alerts", "rules", "--wide");
        Assert.Matches("heat +temperature +above 80 +30 +all +yes +built-in", rules);
        Assert.Matches(@"full +fs[.]used\[/var\] +above 95[.]5 +10 +tag:web +yes +own", rules);
    }

    [Theory]
    [InlineData("There is no rule 'hot' yet: give --metric and one of --above, --below, --off-by, --rises-by",
        "set", "hot", "--above", "3")]
    [InlineData("Only one of --above, --below, --off-by and --rises-by can be given", "set", "heat", "--above", "3", "--below", "2")]
    [InlineData("There is no metric 'warmth'", "set", "hot", "--metric", "warmth", "--above", "3")]
    [InlineData("There is no rule 'hot'", "disable", "hot")]
    [InlineData("The rule 'heat' is as the appliance came with it: disable it instead", "remove", "heat")]
    public async Task What_makes_no_sense_is_refused_in_one_sentence(string reason, params string[] arguments)
    {
        await using CommandLine line = await CommandLine.StartAsync();
        (int code, string output, string errors) = await line.RunAsync(["alerts", .. arguments]);
        // What is no command line is told from what the appliance refuses.
        Assert.Equal(reason.StartsWith("Only one of", StringComparison.Ordinal) ? 2 : 1, code);
        Assert.Contains(reason, errors + output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_wrong_with_nodes_is_listed()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(
            line.Appliance.Info, NodeId.Parse("10000000cccc0001"), NodeRole.Slave, "arm64", s_end);
        await node.SendAsync(new MetConditions([new MetCondition("heat", 86.2, "cpu-thermal", 30)]), s_end);
        string listed = await Poll.UntilAsync(
            () => RunAsync(line, "alerts", "list", "--wide"), text => text.Contains("Heat", StringComparison.Ordinal), s_end);
        Assert.Matches("Heat +86[.]2 °C, cpu-thermal +20[0-9]{2}-", listed);
    }

    private static async Task<string> RunAsync(CommandLine line, params string[] arguments)
    {
        (int code, string output, string errors) = await line.RunAsync(arguments);
        Assert.Equal((0, ""), (code, errors));
        return output;
    }
}
