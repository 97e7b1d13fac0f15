using System.CommandLine;
using System.Net.Http.Json;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap policy</c>.</summary>
internal static class SettingsCommands
{
    public static Command CreatePolicy()
    {
        var install = new Option<string[]>("--install-new")
        {
            Description = "ARCHITECTURE=IMAGE: once approved, new boards are erased " +
            "and get this image.",
            DefaultValueFactory = _ => []
        };
        var approve = new Option<bool>(
            "--approve-new")
        { Description = "Approve all new boards: only for a network that nobody else's machine can reach." };
        var profile = new Option<string?>("--new-profile") { Description = "Customisation profile that new boards get." };
        var keys = new Option<FileInfo?>(
            "--authorized-keys")
        { Description = "File with the OpenSSH public keys that may sign in as root on installed systems." };
        var burnIn = new Option<string?>("--burn-in")
        { Description = "Put new boards through benchmarks once they are installed: short or long.", HelpName = "SET" };
        return new Command("policy", "Show and set what happens to new boards.")
        {
            new Command("show", "Show the policy.").Does(async (client, parsed, cancellation) =>
                Print(await client.GetAsync<Policy>("policy", cancellation), parsed)),
            new Command("set", "Replace the whole policy: what is not named is off.") { install, profile, keys, approve, burnIn }
                .Does(async (client, parsed, cancellation) =>
            {
                var images = parsed.GetRequiredValue(install).Select(text => text.Split('=', 2)).ToArray();
                if (images.Any(pair => pair.Length != 2))
                {
                    throw new CliException("--install-new is written ARCHITECTURE=IMAGE, such as arm64=debian-12");
                }
                string[] lines = parsed.GetValue(keys) is { } file ? await File.ReadAllLinesAsync(file.FullName, cancellation) : [];
                var policy = new
                {
                    installNewBoards = images.ToDictionary(pair => pair[0], pair => pair[1]),
                    profile = parsed.GetValue(profile),
                    approveNewBoards = parsed.GetValue(approve),
                    burnIn = parsed.GetValue(burnIn),
                    authorizedKeys = lines.Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').ToArray(),
                };
                return Print(await client.SendAsync<Policy>(HttpMethod.Put, "policy", JsonContent.Create(policy), cancellation), parsed);
            }),
        };
    }

    private static int Print(Policy policy, ParseResult parsed)
    {
        if (parsed.GetValue(ClientCommand.Json))
        {
            Output.Json(policy);
            return 0;
        }
        Console.WriteLine(policy.ApproveNewBoards
            ? "all new boards are approved: every machine that reaches this network becomes a node, and gets what nodes get"
            : "a person approves each new board");
        string profile = policy.Profile is { } name ? $" and profile {name}" : "";
        foreach (string architecture in new[] { "arm64", "amd64" })
        {
            Console.WriteLine(policy.InstallNewBoards.TryGetValue(architecture, out string? image)
                ? $"new {architecture} boards are installed with image {image[..12]}{profile}"
                : $"new {architecture} boards are not installed by themselves");
        }
        Console.WriteLine(policy.BurnIn is { } set ? $"new boards that are installed get a {set} burn-in" : "new boards get no burn-in");
        Console.WriteLine($"{policy.AuthorizedKeys.Count} SSH keys may sign in as root on installed systems");
        return 0;
    }
}
