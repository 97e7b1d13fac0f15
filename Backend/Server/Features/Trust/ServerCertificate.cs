using System.Net;
using System.Net.NetworkInformation;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Bootstrap.Server.Features.Trust;

/// <summary>What people may call the appliance in their browsers.</summary>
internal sealed record ServerNames(IReadOnlyCollection<string> Hosts, IReadOnlyCollection<IPAddress> Addresses)
{
    /// <summary>This machine's host name and its addresses, but for link-local ones, which come and go.</summary>
    public static ServerNames OfThisMachine() => new(
        ["localhost", Environment.MachineName],
        [.. NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(i => i.GetIPProperties().UnicastAddresses)
            .Where(a => !a.Address.IsIPv6LinkLocal)
            .Select(a => new IPAddress(a.Address.GetAddressBytes()))
            .Distinct()]);

    public X509Extension ToExtension()
    {
        var names = new SubjectAlternativeNameBuilder();
        foreach (string host in Hosts)
        {
            names.AddDnsName(host);
        }
        foreach (IPAddress address in Addresses)
        {
            names.AddIpAddress(address);
        }
        return names.Build();
    }

    /// <summary>True if a certificate has all of these names.</summary>
    public bool AreIn(X509Certificate2 certificate) =>
        certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().FirstOrDefault() is { } names &&
        !Hosts.Except(names.EnumerateDnsNames(), StringComparer.OrdinalIgnoreCase).Any() &&
        !Addresses.Except(names.EnumerateIPAddresses()).Any();
}

/// <summary>The certificate of the appliance's TLS ports. It is kept, for browsers ask their users about every new one.</summary>
internal static class ServerCertificate
{
    private static readonly TimeSpan s_margin = TimeSpan.FromDays(30);

    /// <summary>Reads the certificate; issues another where there is none, or it does not fit any more, or soon will not.</summary>
    /// <param name="path">Certificate and key in one file, PEM, mode 0600.</param>
    /// <param name="authority">Its issuer.</param>
    /// <param name="names">What it must be good for.</param>
    /// <param name="clock">At least 30 days must remain.</param>
    public static X509Certificate2 Open(string path, CertificateAuthority authority, ServerNames names, TimeProvider clock)
    {
        if (Read(path) is { } kept)
        {
            DateTimeOffset now = clock.GetUtcNow();
            if (kept.HasPrivateKey && Protocol.Trust.IsIssuedBy(kept, authority.Certificate, now) && names.AreIn(kept)
                && kept.NotAfter - now > s_margin)
            {
                return kept;
            }
            kept.Dispose();
        }
        X509Certificate2 issued = authority.IssueServer(names.ToExtension());
        using ECDsa key = issued.GetECDsaPrivateKey()!;
        PrivateFile.Write(path, $"{issued.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n");
        return issued;
    }

    private static X509Certificate2? Read(string path)
    {
        try
        {
            return File.Exists(path) ? X509Certificate2.CreateFromPemFile(path) : null;
        }
        catch (CryptographicException)
        {
            return null; // damaged: nothing is lost by another
        }
    }
}
