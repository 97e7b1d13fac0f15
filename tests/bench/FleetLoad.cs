using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Bench;

/// <summary>Many nodes with the Slave's own link and no board behind it: they restart, in name, when they are told to.</summary>
/// <param name="appliance">Its link: ADDRESS:PORT.</param>
internal sealed class FleetLoad(string appliance, X509Certificate2 authority, string joinToken)
{
    private const int EnrolledAtOnce = 16;

    /// <summary>How long a board is away that restarts.</summary>
    private static readonly TimeSpan s_restart = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _clock = TimeProvider.System;
    private readonly ApplianceTls _tls = new(authority);
    private readonly StatusLoad _status = new(TimeProvider.System);
    private int _welcomed, _ordered;

    /// <summary>
    /// Runs until its input ends. Prints "connected COUNT" when all are, and then for each order that all of them got "ordered
    /// MILLISECONDS", the Unix time of the last one's.
    /// </summary>
    public async Task<int> RunAsync(int count)
    {
        using var stop = new CancellationTokenSource();
        var nodes = new List<Task> { _status.RunAsync(stop.Token) };
        await EnrolAsync(count, (number, identity) =>
        {
            lock (nodes)
            {
                nodes.Add(BeAsync(identity, Board(number), count, stop.Token));
            }
        });
        await Console.In.ReadToEndAsync(CancellationToken.None);
        await stop.CancelAsync();
        await Task.WhenAll(nodes).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return 0;
    }

    /// <summary>Has as many nodes admitted, as the appliance's policy lets them.</summary>
    /// <param name="enrolled">Told of each, of several at once.</param>
    public Task EnrolAsync(int count, Action<int, NodeIdentity> enrolled) =>
        Parallel.ForEachAsync(Enumerable.Range(0, count), new ParallelOptions { MaxDegreeOfParallelism = EnrolledAtOnce },
            async (number, stop) =>
        {
            Inventory board = Board(number);
            var enroller = new Enroller(_tls, Locator(), _ => { }, _clock);
            enrolled(number, await enroller.EnrolAsync(joinToken, () => board, null, stop));
        });

    private async Task BeAsync(NodeIdentity identity, Inventory board, int count, CancellationToken stop)
    {
        var health = new Health(12, 0.42, 3_100_000_000, 48.3, 0);
        bool first = true;
        while (true)
        {
            string boot = Guid.NewGuid().ToString();
            var link = new NodeLink(_tls, Locator(), identity, (_, _) => throw new InvalidOperationException("a node was refused"),
                () => new Hello(NodeRole.Slave, "bench", boot, null, board, health, []), () => health, _ => { }, _clock);
            await link.RunAsync((message, _) => Obey(message, link, count, ref first), stop);
            await Task.Delay(s_restart, _clock, stop);
        }
    }

    private void Obey(LinkMessage message, NodeLink link, int count, ref bool first)
    {
        switch (message)
        {
            case Welcome when first:
                first = false;
                Count(ref _welcomed, count, $"connected {count}");
                break;
            case StartTask { Order: RebootOrder } start:
                Count(ref _ordered, count, string.Create(CultureInfo.InvariantCulture,
                    $"ordered {_clock.GetUtcNow().ToUnixTimeMilliseconds()}"));
                link.Outbox.Add(new TaskAccepted(start.TaskId));
                link.Outbox.Add(new Goodbye("reboot"));
                break;
            case WatchStatus asked:
                _status.Hear(link, asked);
                break;
        }
    }

    private static void Count(ref int counter, int count, string line)
    {
        if (Interlocked.Increment(ref counter) % count == 0)
        {
            Console.WriteLine(line);
        }
    }

    private ApplianceLocator Locator() => new("bench", () => [appliance], _clock);

    private static Inventory Board(int number)
    {
        MacAddress.TryParse($"dc:a6:32:00:{number >> 8:x2}:{number & 255:x2}", out MacAddress mac);
        var id = NodeId.Parse($"10000000{number:x8}");
        return new Inventory(id, "arm64", "Raspberry Pi 4 Model B Rev 1.4", id.ToString(), "c03114", "2025-01-14", 3_980_000_000, 4,
            [new NetworkInterfaceInfo("eth0", mac, true, [$"10.1.{number >> 8}.{number & 255}"], "bcmgenet", 1000)],
            [new DiskInfo("mmcblk0", 31_914_983_424, 512, "sd", "SD32G", $"0x{number:x8}", true, false)], "6.1.0-35-arm64",
                "Debian GNU/Linux 12 (bookworm)");
    }
}
