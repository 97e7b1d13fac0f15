using System.CommandLine;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary>Work in the running systems of nodes: <c>bootstrap jobs run</c> and <c>bootstrap update</c>.</summary>
internal static class WorkCommands
{
    /// <summary>What an update is of.</summary>
    private const string OfPackages = "of packages", ByImage = "by an --image", OfFirmware = "of the boot --firmware";

    /// <summary>Of commands whose words are something else than nodes.</summary>
    public static readonly Option<string[]> Node =
        new("--node") { Description = "Name or id, 'all' for every node; may be given several times.", HelpName = "name" };

    private static readonly Option<string> s_user = new("--user")
    {
        Description = "User of the node who runs it (default root).",
        HelpName = "name"
    };

    private static readonly Option<string> s_folder = new("--folder") { Description = "Where it works (default /).", HelpName = "path" };

    private static readonly Option<int?> s_timeout = new("--timeout")
    {
        Description = "Seconds after which the node ends it.",
        HelpName = "seconds"
    };

    private static readonly Option<string[]> s_environment = new("--env")
    {
        Description = "NAME=VALUE; may be given several times. No " +
        "secrets: jobs are stored and shown.",
        HelpName = "name=value"
    };

    private static readonly Option<string> s_shell =
        new("--shell") { Description = "In the place of a command: one line for the node's shell.", HelpName = "line" };

    private static readonly Option<string[]> s_packages =
        new("--package") { Description = "Only this package; may be given several times.", HelpName = "name" };

    /// <summary>Of commands that install an image.</summary>
    public static readonly Option<string?> Profile =
        new Option<string?>("--profile") { Description = "Customisation profile: see `bootstrap profiles`.", HelpName = "name" }
        .Suggests<Option<string?>, Named>("profiles", p => p.Name);

    private static readonly Option<string?> s_image =
        new Option<string?>("--image") { Description = "Name or digest: the image takes the place of the system.", HelpName = "image" }
        .Suggests<Option<string?>, Image>("images", i => i.Name);

    private static readonly Option<string[]> s_keep = new("--keep")
    {
        Description = "With --image: a path that is kept; may be given several times, '*' and '?' stand in names (default: the " +
            "profile's, or /home, /etc/ssh/ssh_host_* and /etc/machine-id).",
        HelpName = "path",
    };

    private static readonly Option<bool> s_firmware = new("--firmware")
    {
        Description = "The boot firmware (a Pi's EEPROM), with a restart: one node after the other, and only where the power is known to " +
            "be good.",
    };

    private static readonly Option<bool> s_powerChecked = new("--power-checked")
    {
        Description = "With --firmware: you have looked at the supply of these nodes. It counts where a node cannot measure it, and " +
            "never against what it has measured.",
    };

    private static readonly Option<bool> s_directWrite = new("--direct-write")
    {
        Description = "With --firmware: also on boards whose EEPROM is not written by recovery.bin from a card; a power failure " +
            "meanwhile leaves one that somebody has to repair by hand.",
    };

    private static readonly Option<bool> s_keepNothing =
        new("--keep-nothing") { Description = "With --image: everything on the disk goes." };

    private static readonly Option<bool> s_whole = new("--whole")
    {
        Description = "With --image: the whole disk is written, also of a node whose disk has two slots (default: there, the slot that " +
            "is not in use).",
    };

    /// <summary>A command, as a job of the appliance.</summary>
    public static Command CreateRun()
    {
        var words = new Argument<string[]>("command")
        {
            Description = "After --: the program and its arguments, which no shell touches.",
            Arity = ArgumentArity.ZeroOrMore
        };
        return new Command("run",
            "Run a command on nodes, by the appliance: also on those that come later, with its output kept. (`bootstrap run` needs no " +
                "appliance, but SSH.)")
        {
            words, Node, NodeCommands.Select, s_shell, s_user, s_folder, s_timeout, s_environment, JobCommands.Yes, JobCommands.Wait,
        }.WithBeginning().WithPlan().Does((client, parsed, cancellation) =>
        {
            string[] command = parsed.GetValue(words) ?? [];
            return JobCommands.OrderAsync(client, "run", null, WithoutNulls(new()
            {
                ["command"] = command.Length > 0 ? command : null,
                ["shell"] = parsed.GetValue(s_shell),
                ["user"] = parsed.GetValue(s_user),
                ["folder"] = parsed.GetValue(s_folder),
                ["timeoutSeconds"] = parsed.GetValue(s_timeout),
                ["environment"] = parsed.GetValue(s_environment) is { Length: > 0 } variables
                    ? variables.Select(text => Pair(s_environment, text)).ToDictionary(v => v.Name, v => v.Value) : null,
            }), parsed, cancellation);
        });
    }

    /// <summary>Packages, or the whole system by an image, or the boot firmware.</summary>
    public static Command CreateUpdate() =>
        new Command("update",
            "Update the packages of nodes, or their systems (--image), or their boot firmware (--firmware). Packages by each node's own " +
                "package " +
            "manager; an image takes the place of the system, and keeps what people have there.")
        {
            JobCommands.Nodes, NodeCommands.Select, s_packages, s_timeout, s_image, Profile, s_keep, s_keepNothing, s_whole, s_firmware,
                s_powerChecked, s_directWrite,
            JobCommands.Yes, JobCommands.Wait,
        }.WithGrace().WithBeginning().WithPlan().Does((client, parsed, cancellation) =>
        {
            string asked = parsed.GetValue(s_firmware) ? OfFirmware : parsed.GetValue(s_image) is not null ? ByImage : OfPackages;
            RefuseOthers(asked, parsed);
            (string kind, Dictionary<string, object?> parameters) = asked switch
            {
                OfPackages => ("update", new Dictionary<string, object?>
                {
                    ["packages"] = parsed.GetValue(s_packages) is { Length: > 0 } packages ? packages : null,
                    ["timeoutSeconds"] = parsed.GetValue(s_timeout),
                }),
                ByImage => ("install",
                    new(GraceOf(parsed,
                    parsed.GetValue(Profile)))
                    {
                        ["update"] = true,
                        ["keep"] = KeptPaths(parsed),
                        ["whole"] = parsed.GetValue(s_whole)
                    ? true : null
                    }),
                _ => ("firmware", new(GraceOf(parsed))
                {
                    ["powerChecked"] = parsed.GetValue(s_powerChecked) ? true : null,
                    ["allowDirectWrite"] = parsed.GetValue(s_directWrite) ? true : null,
                }),
            };
            return JobCommands.OrderAsync(client, kind, parsed.GetValue(s_image), WithoutNulls(parameters), parsed, cancellation);
        });

    private static IEnumerable<KeyValuePair<string, object?>> GraceOf(ParseResult parsed, string? profile = null) =>
        (Grace.Parameters(parsed, profile) ?? []).Select(p => KeyValuePair.Create<string, object?>(p.Key, p.Value));

    /// <summary>Refuses what is of another kind of update than the one that is asked for.</summary>
    private static void RefuseOthers(string asked, ParseResult parsed)
    {
        (string Update, IEnumerable<Option> Own)[] updates =
        [
            (OfPackages, [s_packages, s_timeout]),
            (ByImage, [s_image, Profile, s_keep, s_keepNothing, s_whole]),
            (OfFirmware, [s_firmware, s_powerChecked, s_directWrite]),
            ($"{ByImage} or {OfFirmware}", asked == OfPackages ? Grace.Options : []),
        ];
        foreach ((string update, IEnumerable<Option> own) in updates.Where(u => u.Update != asked))
        {
            if (own.FirstOrDefault(option => parsed.GetResult(option) is { Implicit: false }) is { } wrong)
            {
                throw new CliException($"{wrong.Name} is of an update {update} alone") { ExitCode = 2 };
            }
        }
    }

    /// <summary>What an order with an image takes from the disks, in words.</summary>
    public static string WhatGoes(ParseResult parsed) =>
        parsed.CommandResult.Command.Name != "update" ? "everything"
        : KeptPaths(parsed) is not { } paths ? "everything but what the profile keeps, or else /home, SSH host keys and /etc/machine-id,"
        : paths.Length == 0 ? "everything" : $"everything but {string.Join(", ", paths)}";

    /// <summary>An order with an image leaves the running system of a node with two slots alone.</summary>
    public static bool SparesSlots(ParseResult parsed) => parsed.CommandResult.Command.Name == "update" && !parsed.GetValue(s_whole);

    /// <summary>Null: the appliance's to decide.</summary>
    private static string[]? KeptPaths(ParseResult parsed) => (parsed.GetValue(s_keep), parsed.GetValue(s_keepNothing)) switch
    {
        ({ Length: > 0 }, true) => throw new CliException("--keep and --keep-nothing exclude each other") { ExitCode = 2 },
        (_, true) => [],
        ({ Length: > 0 } paths, _) => paths,
        _ => null,
    };

    /// <summary>What was not given is the appliance's to decide.</summary>
    public static Dictionary<string, object> WithoutNulls(Dictionary<string, object?> parameters) =>
        parameters.Where(p => p.Value is not null).ToDictionary(p => p.Key, p => p.Value!);

    /// <summary>What an option has that takes NAME=VALUE.</summary>
    public static (string Name, string Value) Pair(Option option, string text) => text.Split('=', 2) is [var name, var value]
        ? (name, value)
        : throw new CliException($"{option.Name} takes NAME=VALUE, and not '{text}'") { ExitCode = 2 };
}
