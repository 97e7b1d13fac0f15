using System.CommandLine;
using System.Net.Http.Json;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap boot sets</c>.</summary>
internal static class BootSetCommands
{
    private const string Bundled = "bundled";

    private sealed record Kernel(string Section, string File, string Version);

    private sealed record Set(string Name, string Image, IReadOnlyList<Kernel> Kernels, long Bytes);

    private sealed record SetsAnswer(IReadOnlyList<Set> Sets, IReadOnlyDictionary<string, string> Use);

    public static Command Create()
    {
        var name = new Argument<string>("name") { Description = "Name of the boot set." };
        var image = new Argument<string>("image") { Description = "Name or digest of an image that is laid out as Raspberry Pi OS is." };
        var chosen = new Argument<string>("name") { Description = $"Name of the boot set, or '{Bundled}': what came with the program." };
        var model = new Option<string>("--for") { Description = "Which boards.", DefaultValueFactory = _ => "all" };
        model.AcceptOnlyFromAmong("all", "pi3", "pi4", "pi5");
        return new Command("sets", "Firmware, kernels and modules that were taken from images, for boards newer than NetInst's own kernel.")
        {
            new Command("list", "All boot sets, and which boards use them.").WithTable().Does(async (client, parsed, cancellation) =>
            {
                SetsAnswer sets = await client.GetAsync<SetsAnswer>("boot/sets", cancellation);
                return ClientCommand.Show(parsed, sets.Sets,
                    ["NAME", new("FROM", 1), new("KERNELS", 3), new("SIZE", 2), "USED BY"], set =>
                [
                    set.Name, set.Image, string.Join(", ", set.Kernels.Select(k => $"{k.Version} ({k.Section})")), Output.Bytes(set.Bytes),
                    string.Join(", ", sets.Use.Where(use => use.Value == set.Name).Select(use => use.Key)),
                ]);
            }),
            new Command("create", "Take a boot set out of an image.") { image, name }.Does(async (client, parsed, cancellation) =>
            {
                Image taken = await ByWord.ImageAsync(client, parsed.GetRequiredValue(image), cancellation);
                Set made = await client.PostAsync<Set>("boot/sets",
                    new { image = taken.Digest, name = parsed.GetRequiredValue(name) }, cancellation);
                return ClientCommand.Show(parsed, [made], ["NAME", "KERNELS", "SIZE"],
                    set => [set.Name, string.Join(", ", set.Kernels.Select(k => $"{k.Version} ({k.Section})")), Output.Bytes(set.Bytes)]);
            }),
            new Command("delete", "Delete a boot set that no board uses.") { name }.Does(async (client, parsed, cancellation) =>
            {
                await client.SendAsync(HttpMethod.Delete, $"boot/sets/{Uri.EscapeDataString(parsed.GetRequiredValue(name))}", null,
                    cancellation);
                return 0;
            }),
            new Command("use", "Choose the boot set of boards, from their next boot on.") { chosen, model }
                .Does(async (client, parsed, cancellation) =>
            {
                string? set = parsed.GetRequiredValue(chosen) is not Bundled and var wanted ? wanted : null;
                await client.SendAsync<SetsAnswer>(HttpMethod.Put, $"boot/sets/use/{parsed.GetRequiredValue(model)}",
                    JsonContent.Create(new { set }), cancellation);
                return 0;
            }),
        };
    }
}
