using System.CommandLine;
using Bootstrap.Cli.Api;
using Bootstrap.Cli.Backups;
using Bootstrap.Server.Features.Backups;
using Bootstrap.Server.Storage;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap restore</c>: the state in a backup becomes that of a data folder.</summary>
internal static class RestoreCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("file") { Description = "A backup, or '-' for the standard input.", HelpName = "FILE|-" };
        var data = new Option<DirectoryInfo>("--data")
        {
            Description = "Data folder, made if there is none; no appliance may run on it.",
            Required = true
        };
        var replace = new Option<bool>("--replace")
        {
            Description = "Where an appliance is there: move it into replaced-TIME in that " +
            "folder."
        };
        var command = new Command("restore", "Restore a backup into a data folder.") { file, data, replace, Passphrase.File };
        command.SetAction((parsed, cancellation) => ClientCommand.GuardAsync(async () =>
        {
            string path = parsed.GetRequiredValue(file), folder = parsed.GetRequiredValue(data).FullName;
            if (path != "-" && !File.Exists(path))
            {
                throw new CliException($"there is no file {path}");
            }
            string passphrase = await Passphrase.ReadAsync(parsed, again: false, cancellation);
            DataFolder.MakeAllPrivate();
            try
            {
                await using Stream backup = path == "-" ? new BufferedStream(Console.OpenStandardInput()) : File.OpenRead(path);
                Restored restored = await BackupRestore.RestoreAsync(backup, passphrase, folder, parsed.GetValue(replace),
                    TimeProvider.System, cancellation);
                if (parsed.GetValue(ClientCommand.Json))
                {
                    Output.Json(restored);
                    return 0;
                }
                Print(restored, folder);
                return 0;
            }
            catch (Exception e) when (e is IOException or InvalidDataException or UnauthorizedAccessException)
            {
                throw new CliException(e.Message.TrimEnd('.'), e);
            }
        }));
        return command;
    }

    private static void Print(Restored restored, string folder)
    {
        Console.WriteLine($"{folder} is as the appliance was at {Output.Time(restored.Backup.MadeAt)}, with {restored.Nodes} " +
            $"node{(restored.Nodes == 1 ? "" : "s")}.");
        if (restored.EndedJobs > 0)
        {
            Console.WriteLine($"Jobs that were open then are cancelled: {restored.EndedJobs}.");
        }
        foreach (string image in restored.MissingImages)
        {
            Console.WriteLine($"The image '{image}' is not in the backup: import it again.");
        }
        if (restored.Replaced is { } replaced)
        {
            Console.WriteLine($"What was there before is in {replaced}: remove it when you do not need it.");
        }
        Console.WriteLine("People sign in again. What was revoked or forgotten after the backup was made is not: do that again.");
        Console.WriteLine($"See that the old appliance is off, then start this one: bootstrap serve --data {folder}");
    }
}
