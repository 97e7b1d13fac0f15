using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Link;

namespace Bootstrap.Board.Tests;

internal static class TestIdentity
{
    private static readonly DateTimeOffset s_from = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>A node that vouches for itself.</summary>
    /// <param name="name">Its id.</param>
    /// <param name="called">What an appliance would call it; null: the certificate does not say.</param>
    public static NodeIdentity Create(string name, string? called = null)
    {
        ECDsa key = NodeIdentity.CreateKey();
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        if (called is not null)
        {
            var names = new SubjectAlternativeNameBuilder();
            names.AddDnsName(called);
            request.CertificateExtensions.Add(names.Build());
        }
        using X509Certificate2 certificate = request.CreateSelfSigned(s_from, s_from.AddDays(1));
        return NodeIdentity.Create(certificate.RawData, key);
    }

    /// <summary>A certificate authority as an appliance has one.</summary>
    public static X509Certificate2 CreateAuthority()
    {
        using ECDsa key = NodeIdentity.CreateKey();
        var request = new CertificateRequest("CN=test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        return request.CreateSelfSigned(s_from, s_from.AddYears(10));
    }

    /// <summary>A node of that authority.</summary>
    public static NodeIdentity Issue(X509Certificate2 authority, string name)
    {
        ECDsa key = NodeIdentity.CreateKey();
        using X509Certificate2 certificate = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256)
            .Create(authority, s_from, s_from.AddYears(9), RandomNumberGenerator.GetBytes(16));
        return NodeIdentity.Create(certificate.RawData, key);
    }
}
