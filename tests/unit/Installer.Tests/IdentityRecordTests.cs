using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Link;

namespace Bootstrap.Installer.Tests;

/// <summary>The record by which a board that loses power in the middle of its installation is still the same node.</summary>
public class IdentityRecordTests
{
    private static readonly string s_pem = Pem();

    [Fact]
    public void What_was_recorded_is_read()
    {
        string read = IdentityRecord.Read(IdentityRecord.Of(s_pem))!;
        Assert.Equal(s_pem, read);
        using NodeIdentity identity = NodeIdentity.Parse(read)!;
        Assert.Equal("mac-525400000001", identity.Name);
    }

    [Fact]
    public void Damage_anywhere_in_the_content_is_no_record()
    {
        byte[] record = IdentityRecord.Of(s_pem);
        int end = 20 + s_pem.Length + 32;
        for (int i = 0; i < end; i++)
        {
            byte[] damaged = (byte[])record.Clone();
            damaged[i] ^= 0x10;
            Assert.Null(IdentityRecord.Read(damaged));
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    [InlineData(IdentityRecord.Bytes)]
    public void A_length_that_cannot_be_is_no_record(int length)
    {
        byte[] record = IdentityRecord.Of(s_pem);
        BitConverter.TryWriteBytes(record.AsSpan(16), length);
        Assert.Null(IdentityRecord.Read(record));
        Assert.Null(IdentityRecord.Read(record.AsSpan(0, 100)));
        Assert.Null(IdentityRecord.Read(new byte[IdentityRecord.Bytes]));
    }

    [Fact]
    public void An_identity_that_does_not_fit_is_not_recorded_in_part() =>
        Assert.Equal(new byte[IdentityRecord.Bytes], IdentityRecord.Of(new string('x', IdentityRecord.Bytes)));

    private static string Pem()
    {
        (ECDsa key, X509Certificate2 certificate) = TestImage.Issue("mac-525400000001");
        return certificate.ExportCertificatePem() + "\n" + key.ExportPkcs8PrivateKeyPem() + "\n";
    }
}
