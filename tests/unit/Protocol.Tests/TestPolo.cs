using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Protocol.Tests;

/// <summary>A Polo on loopback, over real sockets, in a mesh that no other test uses.</summary>
internal sealed class TestPolo : IAsyncDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _running;

    private TestPolo(Polo polo, Wires wires)
    {
        Polo = polo;
        Wires = wires;
        _running = polo.RunAsync(_stop.Token);
    }

    public static IReadOnlyList<string> Loopback { get; } = ["lo"];

    public Polo Polo { get; }

    public Wires Wires { get; }

    public static string NewMesh() => "m-" + Guid.NewGuid().ToString("n")[..8];

    public static NodeDescription Describe(string id, IReadOnlyList<Service> services, Identity? identity = null) =>
        new(id, "host-of-" + id, identity ?? new Identity("slave", "test", id), new Dictionary<string, string>(), services);

    /// <summary>Starts one and waits until it listens.</summary>
    public static Task<TestPolo> StartAsync(string id, IReadOnlyList<string> meshes, IReadOnlyList<Service> services,
        Identity? identity = null, MessageSigner? signer = null) =>
        StartAsync(meshes, () => Describe(id, services, identity), signer);

    public static async Task<TestPolo> StartAsync(
        IReadOnlyList<string> meshes, Func<NodeDescription> node, MessageSigner? signer = null, PresenceTiming? timing = null)
    {
        var wires = new Wires(Loopback, TimeProvider.System);
        var polo = new TestPolo(new Polo(meshes, node, wires, TimeProvider.System, signer, timing), wires);
        while (wires.Current.Count == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
        }
        return polo;
    }

    /// <summary>Ends without a goodbye, as by a power cut.</summary>
    public void Kill()
    {
        foreach (Wire wire in Wires.Current)
        {
            wire.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }
}

/// <summary>A certificate authority as an appliance has one.</summary>
internal sealed class TestAuthority : IDisposable
{
    private readonly X509Certificate2 _authority;

    public TestAuthority()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=test authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        _authority = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
    }

    public MessageVerifier Verifier => new(certificate => Trust.IsIssuedBy(certificate, _authority));

    public MessageSigner Signer(string id)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        X509Certificate2 certificate = new CertificateRequest($"CN={id}", key, HashAlgorithmName.SHA256)
            .Create(_authority, now.AddHours(-1), now.AddHours(1), RandomNumberGenerator.GetBytes(16)).CopyWithPrivateKey(key);
        return new MessageSigner(() => certificate);
    }

    public void Dispose() => _authority.Dispose();
}
