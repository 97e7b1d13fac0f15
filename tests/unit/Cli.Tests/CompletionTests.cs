using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary>What a real bash offers after the tabulator key.</summary>
public sealed class CompletionTests
{
    [Theory]
    [InlineData("bootstrap sched", "schedules")]
    [InlineData("bootstrap jobs li", "list")]
    [InlineData("bootstrap reboot --ca", "--canary")]
    [InlineData("bootstrap reboot node-dd", "node-dd0001")]
    public async Task Commands_options_and_names_are_completed(string line, string completed)
    {
        await using CommandLine cli = await CommandLine.StartAsync();
        await using SimulatedNode node = await SimulatedNode.ConnectAsync(
            cli.Appliance.Info, NodeId.Parse("10000000dddd0001"), NodeRole.Slave, "arm64", TestContext.Current.CancellationToken);
        string script = $$"""
            PATH={{Path.GetDirectoryName(CommandLine.Program)}}:$PATH
            source <(bootstrap completion bash)
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}} COMP_WORDS=({{line}}) COMP_CWORD={{line.Split(' ').Length - 1}}
            _bootstrap
            printf "%s\n" "${COMPREPLY[@]}"
            """;
        // An appliance that takes longer than a user waits is not waited for: names are offered the next time.
        await Poll.UntilAsync(async () =>
        {
            (int code, string output, string errors) = await cli.RunScriptAsync(script);
            Assert.Equal((0, ""), (code, errors));
            return output.Split('\n');
        }, offered => offered.Contains(completed), TestContext.Current.CancellationToken);
    }
}
