using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bootstrap.Installer.Tests;

/// <content>Whenever the power goes, the node's key is somewhere where it can be found.</content>
public sealed partial class InstallationTests
{
    [Theory]
    [InlineData(4096)]
    [InlineData(24 << 10)] // a boot loader where the record is first
    [InlineData(36 << 10)] // and where it would be next
    [InlineData(48 << 10, true)] // zeros that are in use
    public async Task At_every_moment_the_nodes_key_is_in_the_old_system_in_a_record_or_in_the_new_one(
        int loaderBytes, bool isLoaderEmpty = false)
    {
        var image = new TestImage(loaderBytes: loaderBytes, isLoaderEmpty: isLoaderEmpty);
        MemoryDisk disk = StaleDisk();
        using var machine = new TestMachine(disk);
        Assert.True((await InstallAsync(machine, image)).Succeeded);
        byte[] old = StaleDisk().Content, complete = (byte[])disk.Content.Clone();
        Assert.True(disk.Log.Count > 20, "nothing was recorded");
        AssertNoKeyIsLeft(complete);
        foreach (byte[] moment in disk.Moments(old))
        {
            AssertIsFound(moment, old, complete, image);
        }

        // And again, for an attempt that goes on from there: with the same key, and with one that a person has approved meanwhile.
        string other = NewIdentity();
        byte[][] moments = [.. disk.Moments(old)];
        for (int i = 0; i < moments.Length; i += i < 6 || i > moments.Length - 16 ? 1 : 13)
        {
            var begun = new MemoryDisk(DiskSize);
            moments[i].CopyTo(begun.Content.AsSpan());
            using var again = new TestMachine(begun);
            Assert.True((await InstallAsync(again, image, compare: true, identity: i % 2 == 0 ? other : null)).Succeeded);
            AssertNoKeyIsLeft(begun.Content);
            foreach (byte[] moment in begun.Moments(moments[i]))
            {
                AssertIsFound(moment, old, begun.Content, image);
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(IdentityRecord.Bytes)]
    public async Task An_identity_that_cannot_be_recorded_leaves_nothing_in_the_place_of_the_record(int length)
    {
        var image = new TestImage(loaderBytes: 48 << 10, isLoaderEmpty: true);
        using var machine = new TestMachine(StaleDisk());
        InstallResult result = await InstallAsync(machine, image, identity: new string('x', length));
        Assert.True(result.Succeeded, result.Cause);
        Assert.False(machine.Disk.Content.AsSpan(512, TestImage.BootStart - 512).ContainsAnyExcept((byte)0));
    }

    private static void AssertIsFound(byte[] disk, byte[] old, byte[] complete, TestImage image)
    {
        if (IdentityRecord.FindIn(disk.AsSpan(0, TestImage.BootStart)).Count > 0)
        {
            return;
        }
        // The old system has it as long as nothing was written but where no system has anything.
        bool isOld = disk.AsSpan(0, IdentityRecord.FirstPlace).SequenceEqual(old.AsSpan(0, IdentityRecord.FirstPlace)) &&
            disk.AsSpan(TestImage.BootStart).SequenceEqual(old.AsSpan(TestImage.BootStart));
        bool isNew = Enumerable.Range(0, TestImage.Size).All(i => !image.Used[i] || disk[i] == complete[i]);
        Assert.True(isOld || isNew, "the key is nowhere where NetInst could find it");
    }

    private static void AssertNoKeyIsLeft(byte[] disk)
    {
        ReadOnlySpan<byte> head = disk.AsSpan(0, TestImage.BootStart);
        Assert.True(head.IndexOf("bootstrap node"u8) < 0 && head.IndexOf("PRIVATE KEY"u8) < 0,
            "the key is left before the first partition");
    }

    private static string NewIdentity()
    {
        (ECDsa key, X509Certificate2 certificate) = TestImage.Issue("mac-525400000001");
        return certificate.ExportCertificatePem() + key.ExportPkcs8PrivateKeyPem();
    }
}
