using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Tests;

/// <summary>What the program says of its commands.</summary>
public sealed class HelpTests
{
    /// <summary>Characters of one command's help: two screens.</summary>
    private const int LongestHelp = 8000;

    [Fact]
    public async Task In_a_list_of_commands_each_has_a_sentence_and_its_own_help_has_the_rest()
    {
        string[] listed = await HelpAsync();
        Assert.All(listed, line => Assert.InRange(line.Length, 0, 140));
        Assert.Contains(listed, line => line.EndsWith("Run a command on many nodes by SSH; needs no appliance.", StringComparison.Ordinal));
        Assert.Contains(await HelpAsync("run"),
            line => line.Contains("Exit code 0 if it succeeded on all nodes", StringComparison.Ordinal));
    }

    [Fact]
    public async Task No_help_of_any_command_asks_the_appliance_or_shows_what_it_has()
    {
        using var appliance = new TcpListener(IPAddress.Loopback, 0);
        appliance.Start();
        string connection = SignedInTo(appliance);
        int commands = 0;
        var waiting = new Queue<string[]>([[]]);
        while (waiting.TryDequeue(out string[]? command))
        {
            (int code, string output, string errors) = await CommandLine.RunToolAsync(
                ["env", $"BOOTSTRAP_CONNECTION={connection}", CommandLine.Program, .. command, "--help"]);
            Assert.Equal((0, ""), (code, errors));
            Assert.InRange(output.Length, 1, LongestHelp);
            commands++;
            foreach (Match listed in Regex.Matches(output.Split("Commands:\n").ElementAtOrDefault(1) ?? "", "^  (?<name>[a-z-]+) ",
                RegexOptions.Multiline))
            {
                waiting.Enqueue([.. command, listed.Groups["name"].Value]);
            }
        }
        Assert.InRange(commands, 60, 300);
        Assert.False(appliance.Pending(), "help asked the appliance");
        File.Delete(connection);
    }

    [Theory]
    [InlineData("nodes rename", "<node> <name>")]
    [InlineData("reboot", "[<nodes>...]")]
    [InlineData("jobs show", "<job>")]
    [InlineData("images remove", "<image>")]
    [InlineData("install", "--image <image>")]
    [InlineData("nodes approve", "[<keys>...]")]
    public async Task Help_shows_what_is_to_be_named_and_not_every_name(string command, string usage) =>
        Assert.Contains(usage, string.Join('\n', await HelpAsync(command.Split(' '))));

    [Theory]
    [InlineData("jobs", "show")]
    [InlineData("nodes", "rename", "a")]
    [InlineData("jobs", "cancle", "1234")]
    public async Task A_command_line_that_is_wrong_asks_the_appliance_nothing(params string[] command)
    {
        using var appliance = new TcpListener(IPAddress.Loopback, 0);
        appliance.Start();
        string connection = SignedInTo(appliance);
        (int code, _, _) = await CommandLine.RunToolAsync(["env", $"BOOTSTRAP_CONNECTION={connection}", CommandLine.Program, .. command]);
        Assert.Equal(2, code);
        Assert.False(appliance.Pending(), "it asked the appliance");
        File.Delete(connection);
    }

    /// <summary>A file by which the program believes itself signed in to what listens there.</summary>
    private static string SignedInTo(TcpListener appliance)
    {
        string file = Path.Combine(Path.GetTempPath(), $"test-help-{Guid.NewGuid():n}.json");
        new Connection(new Uri($"https://127.0.0.1:{((IPEndPoint)appliance.LocalEndpoint).Port}/"), "token", "never looked at").Save(file);
        return file;
    }

    private static async Task<string[]> HelpAsync(params string[] command)
    {
        (int code, string output, _) = await CommandLine.RunToolAsync([CommandLine.Program, .. command, "--help"]);
        Assert.Equal(0, code);
        return output.Split('\n');
    }
}
