using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

public sealed class ServerCertificateTests : IDisposable
{
    private static readonly ServerNames s_names = new(["localhost", "rack"], [IPAddress.Loopback, IPAddress.Parse("10.0.0.1")]);

    private readonly string _folder = Directory.CreateTempSubdirectory("test-trust-").FullName;
    private readonly SettableClock _clock = new();
    private readonly CertificateAuthority _authority;

    public ServerCertificateTests() => _authority = CertificateAuthority.Open(Path.Combine(_folder, "ca"), _clock);

    private string ServerFile => Path.Combine(_folder, "ca", "server.pem");

    [Fact]
    public void The_certificate_stays_the_same_from_start_to_start_and_its_file_is_private()
    {
        using X509Certificate2 first = Open(s_names);
        using X509Certificate2 second = Open(s_names);
        Assert.Equal(first.Thumbprint, second.Thumbprint);
        Assert.True(second.HasPrivateKey);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(ServerFile));
    }

    [Fact]
    public void An_address_that_went_leaves_it_and_one_that_came_renews_it()
    {
        using X509Certificate2 first = Open(s_names);
        using X509Certificate2 fewer = Open(s_names with { Addresses = [IPAddress.Loopback] });
        Assert.Equal(first.Thumbprint, fewer.Thumbprint);
        ServerNames moved = s_names with { Addresses = [IPAddress.Loopback, IPAddress.Parse("10.0.0.2")] };
        using X509Certificate2 another = Open(moved);
        Assert.NotEqual(first.Thumbprint, another.Thumbprint);
        Assert.True(moved.AreIn(another));
        Assert.True(another.MatchesHostname("10.0.0.2"));
        using X509Certificate2 renamed = Open(moved with { Hosts = ["localhost", "attic"] });
        Assert.True(renamed.MatchesHostname("attic"));
    }

    [Fact]
    public void It_is_renewed_when_thirty_days_remain()
    {
        using X509Certificate2 first = Open(s_names);
        _clock.Now = new DateTimeOffset(first.NotAfter).AddDays(-31);
        using X509Certificate2 good = Open(s_names);
        Assert.Equal(first.Thumbprint, good.Thumbprint);
        _clock.Now = new DateTimeOffset(first.NotAfter).AddDays(-30);
        using X509Certificate2 renewed = Open(s_names);
        Assert.NotEqual(first.Thumbprint, renewed.Thumbprint);
        Assert.True(renewed.NotAfter > first.NotAfter.AddYears(1));
    }

    [Fact]
    public async Task An_appliance_that_runs_for_years_shows_a_certificate_that_is_good_on_all_its_doors()
    {
        CancellationToken end = TestContext.Current.CancellationToken;
        await using TestAppliance appliance = await TestAppliance.StartAsync(clock: _clock);
        using X509Certificate2 first = await ShownAsync(appliance.Options.Https);
        using (HttpClient api = appliance.CreateClient())
        {
            api.DefaultRequestVersion = HttpVersion.Version20;
            api.DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact;
            Assert.Equal(HttpVersion.Version20, (await api.GetAsync("nodes", end)).Version);
        }
        _clock.Advance(new DateTimeOffset(first.NotAfter).AddDays(-31) - _clock.Now);
        using (X509Certificate2 same = await ShownAsync(appliance.Options.Https))
        {
            Assert.Equal(first.Thumbprint, same.Thumbprint);
        }
        _clock.Advance(TimeSpan.FromDays(2));
        foreach (IPEndPoint door in new[] { appliance.Options.Https, appliance.Options.Link })
        {
            using X509Certificate2 renewed = await Poll.UntilAsync(() => ShownAsync(door), shown => shown.Thumbprint != first.Thumbprint,
                end);
            Assert.True(renewed.NotAfter > first.NotAfter.AddYears(1));
            Assert.True(Protocol.Trust.IsIssuedBy(renewed, appliance.Info.Authority));
        }

        async Task<X509Certificate2> ShownAsync(IPEndPoint door)
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync(door, end);
            await using var tls = new SslStream(socket.GetStream(), leaveInnerStreamOpen: false, (_, _, _, _) => true);
            await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions { TargetHost = "localhost" }, end);
            return X509CertificateLoader.LoadCertificate(tls.RemoteCertificate!.GetRawCertData());
        }
    }

    [Fact]
    public void A_damaged_file_or_one_of_another_authority_is_replaced()
    {
        using X509Certificate2 first = Open(s_names);
        string text = File.ReadAllText(ServerFile);
        File.WriteAllText(ServerFile, text[..(text.Length / 2)]);
        using X509Certificate2 second = Open(s_names);
        Assert.NotEqual(first.Thumbprint, second.Thumbprint);

        CertificateAuthority other = CertificateAuthority.Open(Path.Combine(_folder, "other"), _clock);
        using X509Certificate2 third = ServerCertificate.Open(ServerFile, other, s_names, _clock);
        Assert.True(Protocol.Trust.IsIssuedBy(third, other.Certificate));
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private X509Certificate2 Open(ServerNames names) => ServerCertificate.Open(ServerFile, _authority, names, _clock);
}
