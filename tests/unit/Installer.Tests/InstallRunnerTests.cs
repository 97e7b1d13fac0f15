using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Init;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Images;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer.Tests;

/// <summary>The attempts of one task.</summary>
public sealed class InstallRunnerTests
{
    [Theory]
    [InlineData(true, DiskState.Unbootable)]
    [InlineData(false, DiskState.Untouched)]
    public async Task What_an_attempt_has_begun_is_told_also_where_the_next_one_fails_before_it_writes(bool begins, DiskState told)
    {
        var image = new TestImage();
        byte[] slave = new ZstdSharp.Compressor().Wrap([1, 2, 3]).ToArray();
        await using var server = new TestServer(new(image.Files) { ["/programs/slave"] = slave });
        server.Files.Remove(begins ? $"/store/chunks/{image.Manifest.Chunks[2].StoredDigest}" : "/programs/slave");
        (ECDsa key, X509Certificate2 certificate) = TestImage.Issue("node-7");
        byte[] forged = JsonSerializer.SerializeToUtf8Bytes(SignedManifest.Create(image.Manifest, certificate, key),
            ProtocolJson.Default.SignedManifest);
        using var identity = NodeIdentity.Create(certificate.RawData, key);
        using var machine = new TestMachine(new MemoryDisk(4 << 20));
        void Log(string line)
        {
            if (line.StartsWith("attempt 1 failed", StringComparison.Ordinal))
            {
                lock (server.Requests)
                {
                    server.Files[$"/store/manifests/{image.Signed.Digest}"] = forged;
                }
            }
        }
        var runner = new InstallRunner(TestImage.Authority, () => identity, machine, new Outbox(), Log, new HastyTime());
        var order = new InstallOrder(image.Signed.Digest, null, false, new NodeConfiguration("node-1", [],
            new RemoteFile("/programs/slave", Digest.Of(slave), slave.Length), ["10.0.0.1"], "default"), IsPublic: true);
        InstallResult result = await runner.RunAsync(Guid.NewGuid(), order,
            () => (new ApplianceEndpoint(System.Net.IPAddress.Loopback, 8444), server.Address), dryRun: false,
            TestContext.Current.CancellationToken);
        Assert.Contains("signer", result.Cause);
        Assert.Equal(told, result.Disk);
    }
}
