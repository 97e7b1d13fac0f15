using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Bench;

/// <summary>Many nodes in one process, and who looks for them.</summary>
internal static class DiscoveryLoad
{
    private const string Mesh = "default";

    private static readonly Search s_all = new() { Meshes = [Mesh] };

    /// <summary>
    /// Answers as so many nodes, each with its own sockets, until the input ends. All of them hear the beats of all, which on a real wire
    /// is the
    /// work of as many machines: where it is not the beats that are measured, there are none after the first.
    /// </summary>
    public static Task<int> AnswerAsync(int count, string network, string authorityFile)
    {
        X509Certificate2? authority = authorityFile == "-" ? null : MakeAuthority(authorityFile);
        return AnswerAsync(count, network, (id, _) => authority is null ? null : Signer(id, authority), PresenceTiming.Faster(0.0001));
    }

    /// <summary>The same of nodes that the appliance has admitted, which say that they are there as nodes do.</summary>
    public static async Task<int> BeatAsync(int count, string network, FleetLoad fleet)
    {
        var identities = new NodeIdentity[count];
        await fleet.EnrolAsync(count, (number, identity) => identities[number] = identity);
        return await AnswerAsync(count, network, (_, number) => new MessageSigner(() => identities[number].Certificate),
            PresenceTiming.Standard);
    }

    private static async Task<int> AnswerAsync(int count, string network, Func<string, int, MessageSigner?> signer, PresenceTiming timing)
    {
        TimeProvider clock = TimeProvider.System;
        using var stop = new CancellationTokenSource();
        var services = new[] { new Service(Service.Slave, new Dictionary<string, string> { ["version"] = "1.0" }) };
        Wires[] wires = [.. Enumerable.Range(0, count).Select(_ => new Wires([network], clock))];
        Task[] running = [.. wires.Select((own, i) =>
        {
            string id = $"10000000{i:x8}";
            var node = new NodeDescription(id, $"node-{i}", new Identity(Service.Slave, "raspberry-pi-4", $"node-{i}"),
                new Dictionary<string, string>(), services);
            return new Polo([Mesh], () => node, own, clock, signer(id, i), timing).RunAsync(stop.Token);
        })];
        while (wires.Any(own => own.Current.Count == 0))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), clock);
        }
        Console.WriteLine("ready");
        Console.In.ReadToEnd();
        await stop.CancelAsync();
        await Task.WhenAll(running);
        return 0;
    }

    /// <summary>
    /// Looks for all that there are, and prints for each run: seconds until the last was given, seconds until the search ended, nodes,
    /// nodes given twice,
    /// questions, answers.
    /// </summary>
    public static async Task<int> AskAsync(string network, int runs, string authorityFile, int receiveBuffer)
    {
        TimeProvider clock = TimeProvider.System;
        using X509Certificate2? authority = authorityFile == "-" ? null : X509CertificateLoader.LoadPkcs12FromFile(authorityFile, null);
        for (int i = 0; i < runs; i++)
        {
            // A cold start each time: nothing is remembered of the run before.
            var marco = new Marco([network], clock, authority is null ? null
                : new MessageVerifier(certificate => Trust.IsIssuedBy(certificate, authority)))
            { ReceiveBuffer = receiveBuffer };
            var seen = new HashSet<string>();
            int twice = 0;
            double last = 0;
            long started = clock.GetTimestamp();
            await foreach (Found found in marco.FindAsync(s_all))
            {
                twice += seen.Add(found.Node.Id) ? 0 : 1;
                last = clock.GetElapsedTime(started).TotalSeconds;
            }
            double end = clock.GetElapsedTime(started).TotalSeconds;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{last:0.000} {end:0.000} {seen.Count} {twice} " +
                $"{marco.Questions} {marco.Answers}"));
            // A source is answered ten times a second; and one machine that plays thousands is to have read every question to all of them.
            await Task.Delay(TimeSpan.FromSeconds(1.1 + seen.Count / 500.0), clock);
        }
        return 0;
    }

    /// <summary>Asks for Slaves once a second, and prints how often one has answered.</summary>
    public static async Task<int> AskEverySecondAsync(string network, int seconds)
    {
        TimeProvider clock = TimeProvider.System;
        Search search = s_all with { Filter = new NodeFilter(Service.Slave), Retries = 0 };
        int answers = 0;
        using var second = new PeriodicTimer(TimeSpan.FromSeconds(1), clock);
        for (int i = 0; i < seconds && await second.WaitForNextTickAsync(); i++)
        {
            await foreach (Found _ in new Marco([network], clock).FindAsync(search))
            {
                answers++;
            }
        }
        Console.WriteLine(answers);
        return 0;
    }

    private static X509Certificate2 MakeAuthority(string file)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=bench authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, true));
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        X509Certificate2 authority = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
        File.WriteAllBytes(file, authority.Export(X509ContentType.Pkcs12));
        return authority;
    }

    private static MessageSigner Signer(string id, X509Certificate2 authority)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        X509Certificate2 certificate = new CertificateRequest($"CN={id}", key, HashAlgorithmName.SHA256)
            .Create(authority, now.AddHours(-1), now.AddHours(1), RandomNumberGenerator.GetBytes(16)).CopyWithPrivateKey(key);
        return new MessageSigner(() => certificate);
    }
}
