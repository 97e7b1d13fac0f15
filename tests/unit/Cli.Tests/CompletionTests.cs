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

    [Fact]
    public async Task A_name_with_the_shell_s_own_characters_is_offered_as_a_word_and_not_run()
    {
        string folder = Directory.CreateTempSubdirectory("test-completion-").FullName;
        // Stands for the program: what it offers is what others have named.
        string program = Path.Combine(folder, "bootstrap");
        await File.WriteAllTextAsync(program, "#!/bin/sh\nprintf '%s\\n' '$(touch witness)' '`touch witness`' 'two words;rm' plain\n",
            TestContext.Current.CancellationToken);
        File.SetUnixFileMode(program, (UnixFileMode)0x1ed);
        string script = $$"""
            cd {{folder}}
            source <({{CommandLine.Program}} completion bash)
            COMP_LINE='bootstrap x ' COMP_POINT=12 COMP_WORDS=({{program}} x '') COMP_CWORD=2
            _bootstrap
            printf "%s\n" "${COMPREPLY[@]}"
            """;
        string offered = await CommandLine.ToolAsync("bash", "-c", script);
        Assert.Equal("\\$\\(touch\\ witness\\)\n\\`touch\\ witness\\`\ntwo\\ words\\;rm\nplain\n", offered);
        Assert.False(File.Exists(Path.Combine(folder, "witness")));
        Directory.Delete(folder, recursive: true);
    }
}
