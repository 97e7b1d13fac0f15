using System.IO.Pipelines;
using Bootstrap.Cli.Api;
using Bootstrap.Imaging.Store;
using Bootstrap.Server.Features.Backups;
using Bootstrap.Server.Storage;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Cli.Backups;

/// <summary>Where a backup goes to: a file, which appears under its name when it is whole; or the standard output.</summary>
/// <param name="path">The file, or <c>-</c>.</param>
internal sealed class BackupTarget(string path)
{
    private const string Output = "-";

    private bool IsOutput => path == Output;

    /// <summary>Takes a backup in, and opens it as it comes: what is not whole, or not this passphrase's, is none.</summary>
    /// <returns>What it says of itself, and its length in bytes.</returns>
    /// <exception cref="CliException">It is not whole, or cannot be written. A file that was there stays as it was.</exception>
    public async Task<(BackupDescription Description, long Bytes)> TakeAsync(Stream backup, string passphrase,
        CancellationToken cancellation)
    {
        string unfinished = path + ".new";
        try
        {
            if (IsOutput)
            {
                // The console's own stream says nothing where nobody reads any more.
                using var handle = new SafeFileHandle(1, ownsHandle: false);
                await using var output = new FileStream(handle, FileAccess.Write, bufferSize: 0);
                return await CopyAsync(backup, output, passphrase, cancellation);
            }
            (BackupDescription, long) taken;
            await using (FileStream file = PrivateFile.Create(unfinished))
            {
                taken = await CopyAsync(backup, file, passphrase, cancellation);
                file.Flush(flushToDisk: true);
            }
            File.Move(unfinished, path, overwrite: true);
            Durable.SyncFileSystem(path);
            return taken;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{(IsOutput ? "the standard output" : path)} cannot be written: {e.Message.TrimEnd('.')}", e);
        }
        finally
        {
            if (!IsOutput)
            {
                File.Delete(unfinished);
            }
        }
    }

    /// <summary>Refuses what cannot be written to, before anything is asked.</summary>
    public void Validate()
    {
        if (IsOutput ? !Console.IsOutputRedirected : Directory.Exists(path))
        {
            throw new CliException(IsOutput ? "a backup is nothing for a terminal: send it to a file or a program"
                : $"{path} is a folder: name a file");
        }
        if (!IsOutput && FileStatus.Of(path, follow: true) is { IsRegular: false })
        {
            throw new CliException($"{path} is no file: name one, or '-' to send the backup on");
        }
        if (!IsOutput && !Directory.Exists(Path.GetDirectoryName(Path.GetFullPath(path))))
        {
            throw new CliException($"there is no folder {Path.GetDirectoryName(Path.GetFullPath(path))}");
        }
    }

    private static async Task<(BackupDescription Description, long Bytes)> CopyAsync(Stream backup, Stream target, string passphrase,
        CancellationToken cancellation)
    {
        var copy = new Pipe();
        Task<BackupDescription> opening = OpenAsync(copy.Reader, passphrase, cancellation);
        long bytes = 0;
        byte[] buffer = new byte[256 << 10];
        try
        {
            for (int n; (n = await ReadAsync(backup, buffer, cancellation)) > 0; bytes += n)
            {
                await target.WriteAsync(buffer.AsMemory(0, n), cancellation);
                if ((await copy.Writer.WriteAsync(buffer.AsMemory(0, n), cancellation)).IsCompleted)
                {
                    break; // it is none: nobody needs the rest
                }
            }
        }
        finally
        {
            await copy.Writer.CompleteAsync();
        }
        try
        {
            return (await opening, bytes);
        }
        catch (InvalidDataException e)
        {
            throw new CliException($"what came is no whole backup: {e.Message}", e);
        }
    }

    private static async Task<int> ReadAsync(Stream backup, byte[] buffer, CancellationToken cancellation)
    {
        try
        {
            return await backup.ReadAsync(buffer, cancellation);
        }
        catch (IOException e)
        {
            throw new CliException("the appliance broke the backup off: its log says why", e);
        }
    }

    private static async Task<BackupDescription> OpenAsync(PipeReader reader, string passphrase, CancellationToken cancellation)
    {
        try
        {
            await using Stream copy = reader.AsStream(leaveOpen: true);
            return await BackupReader.VerifyAsync(copy, passphrase, cancellation);
        }
        finally
        {
            await reader.CompleteAsync(); // whoever writes does not wait any more
        }
    }
}
