namespace Bootstrap.Lab.Tests;

/// <summary>Compares a card that was installed, and has not started yet, with its image.</summary>
internal static class InstalledCard
{
    /// <summary>What the installation changes on purpose, and nothing else.</summary>
    private static readonly string[] s_configured =
    [
        "etc/bootstrap",
        "etc/bootstrap/ca.pem",
        "etc/bootstrap/node.json",
        "etc/bootstrap/node.pem",
        "etc/hostname",
        "etc/hosts",
        "etc/machine-id",
        "etc/systemd/system/bootstrap-slave.service",
        "etc/systemd/system/multi-user.target.wants/bootstrap-slave.service",
        "usr/local/bin/bootstrap-slave",
    ];

    /// <summary>Every file of every partition is the image's, the root file system is sound and fills the card.</summary>
    public static async Task VerifyAsync(string card, string image, CancellationToken cancel)
    {
        Disk written = new(card), original = new(image);
        Assert.Equal(original.Partitions.Select(p => (p.Type, p.Start)), written.Partitions.Select(p => (p.Type, p.Start)));
        Assert.Equal(original.Partitions.SkipLast(1), written.Partitions.SkipLast(1));

        const long alignment = 1 << 20;
        Assert.InRange(written.Length - (written.Root.Start + written.Root.Length), 0, alignment);
        await written.CheckAsync(written.Root);
        Assert.Equal(written.Root.Length / alignment, await written.FileSystemBytesAsync(written.Root) / alignment);

        foreach ((Partition onCard, Partition inImage) in written.Partitions.Zip(original.Partitions))
        {
            SortedDictionary<string, string> files = await written.ReadFilesAsync(onCard, cancel),
                wanted = await original.ReadFilesAsync(inImage, cancel);
            Assert.NotEmpty(wanted);
            if (onCard == written.Root)
            {
                Assert.All(s_configured.Where(name => !name.Contains("systemd", StringComparison.Ordinal)), name =>
                    Assert.Contains(name, files.Keys));
                foreach (string name in s_configured)
                {
                    files.Remove(name);
                    wanted.Remove(name);
                }
            }
            string[] differences = [.. files.Except(wanted).Select(f => $"+ {f}"), .. wanted.Except(files).Select(f => $"- {f}")];
            Assert.Empty(differences);
        }
    }
}
