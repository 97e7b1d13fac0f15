using Bootstrap.Server.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Features.Trust;

/// <summary>The appliance's CA, its own certificate, and what seals secrets.</summary>
internal static class TrustFeature
{
    /// <exception cref="InvalidDataException">A key file is damaged, gone, or another folder's; the message says what to do.</exception>
    public static IServiceCollection AddTrust(
        this IServiceCollection services, DataFolder folder, SettingsStore settings, TimeProvider clock)
    {
        (CertificateAuthority authority, SecretBox secrets) = KeyFiles.Open(folder.FullPath, settings, clock);
        string file = Path.Combine(folder.FullPath, "ca", "server.pem");
        return services.AddSingleton(authority).AddSingleton(secrets)
            .AddSingleton<ServerCertificates>(s => new(
                () => ServerCertificate.Open(file, authority, ServerNames.OfThisMachine(), clock), s.GetRequiredService<DataDisk>(), clock,
                s.GetRequiredService<ILogger<ServerCertificates>>()))
            .AddHostedService(s => s.GetRequiredService<ServerCertificates>());
    }
}
