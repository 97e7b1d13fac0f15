namespace Bootstrap.Cli.Tests;

/// <summary>What the program says of its commands.</summary>
public sealed class HelpTests
{
    [Fact]
    public async Task In_a_list_of_commands_each_has_a_sentence_and_its_own_help_has_the_rest()
    {
        string[] listed = await HelpAsync();
        Assert.All(listed, line => Assert.InRange(line.Length, 0, 140));
        Assert.Contains(listed, line => line.EndsWith("Run a command on many nodes by SSH; needs no appliance.", StringComparison.Ordinal));
        Assert.Contains(await HelpAsync("run"),
            line => line.Contains("Exit code 0 if it succeeded on all nodes", StringComparison.Ordinal));
    }

    private static async Task<string[]> HelpAsync(params string[] command)
    {
        (int code, string output, _) = await CommandLine.RunToolAsync([CommandLine.Program, .. command, "--help"]);
        Assert.Equal(0, code);
        return output.Split('\n');
    }
}
