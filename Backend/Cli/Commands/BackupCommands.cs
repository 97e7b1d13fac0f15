using System.CommandLine;
using System.IO.Pipelines;
using System.Net.Http.Json;
using Bootstrap.Cli.Api;
using Bootstrap.Cli.Backups;
using Bootstrap.Server.Features.Backups;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap backup</c> makes a copy of all that the appliance keeps; <c>bootstrap backups</c> is what it makes by
/// itself.</summary>
internal static class BackupCommands
{
    private static readonly Argument<string> s_name = new("name") { Description = "As 'backups list' shows it." };

    private static readonly Option<bool> s_images = new("--images")
    {
        Description = "Include the images; else they must be imported " +
        "again."
    };

    private sealed record Plan(string? Cron, string Zone, int Keep, bool Images, bool PassphraseSet);

    private sealed record Backup(string Name, long SizeBytes, long MadeAt, bool Images);

    private sealed record Ended(long At, string Error);

    private sealed record View(Plan Plan, string Folder, IReadOnlyList<Backup> Backups, long? Next, bool Running, Ended? Last);

    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "File to write, or '-' for the standard output.", HelpName = "FILE|-" };
        var data = new Option<DirectoryInfo?>("--data")
        {
            Description = "On the appliance's own machine: its data folder; it may run or " +
            "not, and no sign-in is needed."
        };
        var command = new Command("backup", "Back up the appliance to a file, sealed by a passphrase.")
        {
            file, s_images, data, Passphrase.File,
        };
        command.SetAction((parsed, cancellation) => ClientCommand.GuardAsync(async () =>
        {
            var target = new BackupTarget(parsed.GetRequiredValue(file));
            target.Validate();
            string passphrase = await Passphrase.ReadAsync(parsed, again: true, cancellation);
            if (BackupPlan.FaultOf(passphrase) is { } fault)
            {
                throw new CliException(fault.TrimEnd('.'));
            }
            (BackupDescription made, long bytes) = parsed.GetValue(data) is { } folder
                ? await FromFolderAsync(folder.FullName, target, passphrase, parsed.GetValue(s_images), cancellation)
                : await FromApplianceAsync(target, passphrase, parsed.GetValue(s_images), cancellation);
            await Console.Error.WriteLineAsync($"{Output.Bytes(bytes)}, {(made.Images ? "with" : "without")} the images' bytes, read " +
                "again and found whole.");
            return 0;
        }));
        return command;
    }

    public static Command CreateKept()
    {
        var file = new Argument<string>("file") { Description = "File to write, or '-' for the standard output.", HelpName = "FILE|-" };
        return new Command("backups", "Backups that the appliance itself makes and keeps.")
        {
            new Command("show", "Show the schedule, and how the last backup went.").Does(async (client, parsed, cancellation) =>
                Print(await client.GetAsync<View>("backups", cancellation), parsed)),
            new Command("list", "List the backups on the appliance.").WithTable()
                .Does(async (client, parsed, cancellation) => ClientCommand.Show(parsed,
                (await client.GetAsync<View>("backups", cancellation)).Backups, ["NAME", "MADE", "SIZE", "IMAGES"],
                b => [b.Name, Output.Time(b.MadeAt), Output.Bytes(b.SizeBytes), b.Images ? "yes" : "no"])),
            CreateSet(),
            new Command("make", "Make a backup now, on the appliance.").Does(async (client, parsed, cancellation) =>
            {
                await client.SendAsync(HttpMethod.Post, "backups", new { }, cancellation);
                Console.WriteLine("A backup is being made: 'bootstrap backups show' says how it went.");
                return 0;
            }),
            new Command("fetch", "Copy a backup to a file here, and check all of it.") { s_name, file, Passphrase.File }
                .Does(async (client, parsed, cancellation) =>
            {
                var target = new BackupTarget(parsed.GetRequiredValue(file));
                target.Validate();
                string passphrase = await Passphrase.ReadAsync(parsed, again: false, cancellation);
                await client.DownloadAsync(Path(parsed), (body, _) => target.TakeAsync(body, passphrase, cancellation), cancellation);
                return 0;
            }),
            new Command("remove", "Remove a backup from the appliance.") { s_name }.Does(async (client, parsed, cancellation) =>
            {
                await client.SendAsync(HttpMethod.Delete, Path(parsed), null, cancellation);
                return 0;
            }),
        };
    }

    private static Command CreateSet()
    {
        var cron = new Option<string?>("--cron")
        {
            Description = "Minute, hour, day of the month, month, day of the week, such as '0 3 * " +
            "* *'. Without it: only by hand.",
            HelpName = "LINE"
        };
        var zone = new Option<string>("--zone")
        {
            Description = "Time zone of the line, such as Europe/Berlin.",
            DefaultValueFactory = _ => "UTC"
        };
        var keep = new Option<int>("--keep") { Description = "How many backups are kept.", DefaultValueFactory = _ => 7 };
        var seal = new Option<bool>("--new-passphrase") { Description = "Ask for another passphrase; the first one is asked for anyway." };
        return new Command("set", "Set when backups are made, and how many are kept.") { cron, zone, keep, s_images, seal, Passphrase.File }
            .Does(async (client, parsed, cancellation) =>
        {
            View now = await client.GetAsync<View>("backups", cancellation);
            bool asks = !now.Plan.PassphraseSet || parsed.GetValue(seal) || parsed.GetValue(Passphrase.File) is not null;
            var plan = new
            {
                cron = parsed.GetValue(cron),
                zone = parsed.GetValue(zone),
                keep = parsed.GetValue(keep),
                images = parsed.GetValue(s_images),
                passphrase = asks ? await Passphrase.ReadAsync(parsed, again: true, cancellation) : null,
            };
            return Print(await client.SendAsync<View>(HttpMethod.Put, "backups", JsonContent.Create(plan), cancellation), parsed);
        });
    }

    private static async Task<(BackupDescription Description, long Bytes)> FromApplianceAsync(
        BackupTarget target, string passphrase, bool images, CancellationToken cancellation)
    {
        using var client = new ApplianceClient(Connection.Load(Connection.DefaultPath));
        return await client.FetchAsync("backup", new { passphrase, images }, body => target.TakeAsync(body, passphrase, cancellation),
            cancellation);
    }

    private static async Task<(BackupDescription Description, long Bytes)> FromFolderAsync(
        string folder, BackupTarget target, string passphrase, bool images, CancellationToken cancellation)
    {
        var pipe = new Pipe();
        Task writing = WriteAsync(folder, pipe.Writer, passphrase, images, cancellation);
        await using Stream backup = pipe.Reader.AsStream();
        try
        {
            return await target.TakeAsync(backup, passphrase, cancellation);
        }
        finally
        {
            await pipe.Reader.CompleteAsync();
            await writing;
        }
    }

    private static async Task WriteAsync(string folder, PipeWriter pipe, string passphrase, bool images, CancellationToken cancellation)
    {
        try
        {
            await using Stream file = pipe.AsStream(leaveOpen: true);
            await BackupWriter.WriteAsync(folder, file, passphrase, images, TimeProvider.System.GetUtcNow(), cancellation);
        }
        catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
        {
            throw new CliException(e.Message.TrimEnd('.'), e);
        }
        finally
        {
            await pipe.CompleteAsync();
        }
    }

    private static int Print(View view, ParseResult parsed)
    {
        if (parsed.GetValue(ClientCommand.Json))
        {
            Output.Json(view);
            return 0;
        }
        string kind = view.Plan.Images ? "with" : "without", next = view.Next is { } at ? Output.ZonedTime(at, view.Plan.Zone) : "never";
        Console.WriteLine(view.Plan.Cron is null
            ? "backups are made by hand only"
            : $"a backup {kind} images is made at '{view.Plan.Cron}' ({view.Plan.Zone}), next {next}");
        Console.WriteLine($"the newest {view.Plan.Keep} are kept in {view.Folder}; there are {view.Backups.Count}");
        Console.WriteLine(view.Last is not { } last ? "none was made yet"
            : last.Error.Length > 0 ? $"the last one failed, {Output.Time(last.At)}: {last.Error}"
            : $"the last one was made {Output.Time(last.At)}");
        if (view.Running)
        {
            Console.WriteLine("one is being made now");
        }
        return 0;
    }

    private static string Path(ParseResult parsed) => $"backups/{Uri.EscapeDataString(parsed.GetRequiredValue(s_name))}";
}
