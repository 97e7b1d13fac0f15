using System.CommandLine;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Backups;

/// <summary>The passphrase of a backup: from a file, or typed unseen; never an argument, which every user of the machine could
/// read.</summary>
internal static class Passphrase
{
    public static readonly Option<FileInfo?> File = new("--passphrase-file")
    {
        Description = "File whose first line is the passphrase; " +
        "default: typed."
    };

    /// <summary>Gives it.</summary>
    /// <param name="again">Whether it is new, and typed twice.</param>
    /// <exception cref="CliException">There is none.</exception>
    public static async Task<string> ReadAsync(ParseResult parsed, bool again, CancellationToken interrupted)
    {
        if (parsed.GetValue(File) is { } file)
        {
            if (!file.Exists)
            {
                throw new CliException($"there is no file {file.FullName}");
            }
            using StreamReader lines = file.OpenText();
            return await lines.ReadLineAsync(interrupted) is { Length: > 0 } line ? line : throw new CliException($"{file.FullName} has " +
                "no passphrase on its first line");
        }
        if (Console.IsInputRedirected)
        {
            throw new CliException("nobody can type the passphrase here: name a file that it is in by --passphrase-file");
        }
        string typed = await AskAsync("Passphrase", interrupted);
        if (again && await AskAsync("Again", interrupted) != typed)
        {
            throw new CliException("the two are not the same: nothing was done");
        }
        return typed;
    }

    private static async Task<string> AskAsync(string question, CancellationToken interrupted) =>
        await Task.Run(() => HiddenInput.Ask(question, interrupted), CancellationToken.None) is { Length: > 0 } typed ? typed
            : throw new CliException("nothing was done");
}
