namespace Bootstrap.Cli.Tests;

/// <summary>A block device of this kernel whose bytes lie in a file: a card for tests. It comes full of bytes that must stay.</summary>
internal sealed class LoopDevice : IAsyncDisposable
{
    private readonly string _file;

    private LoopDevice(string file, string path)
    {
        _file = file;
        Path = path;
    }

    /// <summary>"/dev/loop0".</summary>
    public string Path { get; }

    /// <param name="folder">For the file.</param>
    /// <param name="bytes">Capacity, in whole sectors.</param>
    /// <param name="ext4">Makes a file system on it.</param>
    public static async Task<LoopDevice> AttachAsync(string folder, int bytes, bool ext4 = false)
    {
        string file = System.IO.Path.Combine(folder, Guid.NewGuid().ToString("n"));
        byte[] content = new byte[bytes];
        new Random(1).NextBytes(content);
        await File.WriteAllBytesAsync(file, content);
        if (ext4)
        {
            await CommandLine.ToolAsync("mkfs.ext4", "-q", "-F", file);
        }
        return new LoopDevice(file, (await CommandLine.ToolAsync("losetup", "--find", "--show", file)).Trim());
    }

    /// <summary>What is on it now, past every cache.</summary>
    public async Task<byte[]> ReadAsync()
    {
        await CommandLine.ToolAsync("blockdev", "--flushbufs", Path);
        return await File.ReadAllBytesAsync(_file);
    }

    public async ValueTask DisposeAsync() => await CommandLine.ToolAsync("losetup", "--detach", Path);
}
