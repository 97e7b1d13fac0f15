using System.Text.Json;
using Bootstrap.Protocol;

namespace Bootstrap.Cli.Tests;

/// <summary>People and tokens on the command line.</summary>
public sealed class AccessTests
{
    [Fact]
    public async Task A_person_is_added_with_a_link_and_gets_another_role_and_goes()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        (int code, string output, string errors) = await line.RunAsync("users", "add", "ada", "--role", "operator");
        Assert.Equal((0, ""), (code, errors));
        Assert.StartsWith($"{line.Appliance.Url}sign-in#", output, StringComparison.Ordinal);
        (_, output, _) = await line.RunAsync("users", "list");
        Assert.Matches("ada +operator +no", output);
        Assert.Equal(0, (await line.RunAsync("users", "role", "ada", "--role", "viewer")).Code);
        (_, output, _) = await line.RunAsync("users", "list", "--json");
        Assert.Contains(JsonDocument.Parse(output).RootElement.EnumerateArray(),
            p => p.GetProperty("name").GetString() == "ada" && p.GetProperty("role").GetString() == "viewer");
        Assert.Equal(0, (await line.RunAsync("users", "remove", "ada")).Code);
        Assert.Equal((1, "", "bootstrap: There is no user 'ada'."), await line.RunAsync("users", "link", "ada"));
        (_, output, _) = await line.RunAsync("audit", "--text", "ada");
        Assert.Matches("admin +Remove a person +ada", output);
    }

    [Fact]
    public async Task A_token_in_a_file_that_nobody_else_reads_signs_in_until_it_is_revoked()
    {
        await using CommandLine line = await CommandLine.StartAsync();
        string file = Path.Combine(line.Folder, "ci-token");
        Assert.Equal((0, "", ""), await line.RunAsync("tokens", "add", "ci", "--role", "viewer", "--days", "30", "--file", file));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        (_, string output, _) = await line.RunAsync("tokens", "list", "--json");
        string id = JsonDocument.Parse(output).RootElement.EnumerateArray().Single(t => t.GetProperty("name").GetString() == "ci")
            .GetProperty("id").GetString()!;
        Assert.Equal(0, (await line.RunAsync("login", line.Appliance.Url.ToString(), "--token-file", file, "--fingerprint",
            Fingerprint.Of(line.Appliance.Info.Authority))).Code);
        Assert.Equal((1, "", "bootstrap: This takes the role 'admin'; admin has the role 'viewer'."), await line.RunAsync("audit"));
        Assert.Equal(0, (await line.RunAsync("tokens", "revoke", id)).Code);
        Assert.StartsWith("bootstrap: Sign in first", (await line.RunAsync("nodes", "list")).Errors, StringComparison.Ordinal);
    }
}
