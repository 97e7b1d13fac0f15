using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Link;

namespace Bootstrap.Board.Tests;

internal static class TestIdentity
{
    public static NodeIdentity Create(string name)
    {
        ECDsa key = NodeIdentity.CreateKey();
        var from = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
        using X509Certificate2 certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256).CreateSelfSigned(from, from.AddDays(1));
        return NodeIdentity.Create(certificate.RawData, key);
    }
}
