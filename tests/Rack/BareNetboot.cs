using System.Net;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Netboot.Tftp;

namespace Bootstrap.Rack;

/// <summary>
/// The appliance's DHCP and TFTP without the appliance, with the files of one folder: quickly started, and every event of theirs printed.
/// </summary>
internal sealed class BareNetboot(string folder, EventLog events) : IBootFiles, IBootObserver
{
    private const int HttpPort = 8080;

    /// <summary>Serves until the end of standard input.</summary>
    /// <param name="full">Hands out addresses.</param>
    /// <param name="force">Even beside another server.</param>
    /// <param name="plan">Which.</param>
    /// <exception cref="RackException">It may not; the message says why.</exception>
    public async Task RunAsync(bool full, bool force, AddressPlan plan)
    {
        using var stop = new CancellationTokenSource();
        try
        {
            using TftpServer tftp = TftpServer.Open(new TftpServerOptions { EndPoint = new IPEndPoint(IPAddress.IPv6Any, 69) }, this, this,
                TimeProvider.System);
            var options = new DhcpServerOptions
            {
                HttpPort = HttpPort,
                Addresses = full ? plan : null,
                BesideRivals = force,
                Begins = tftp.Restart,
            };
            using DhcpServer dhcp = await DhcpServer.OpenAsync(options, [RackNetwork.Bridge], new MemoryLeaseStore(), this,
                TimeProvider.System, stop.Token);
            events.Write("serving");
            Task running = Task.WhenAll(dhcp.RunAsync(stop.Token), tftp.RunAsync(stop.Token));
            await await Task.WhenAny(running, Console.In.ReadToEndAsync());
            await stop.CancelAsync();
            await running;
        }
        catch (NetbootException reason)
        {
            throw new RackException(reason.Message);
        }
    }

    BootFile? IBootFiles.Find(BootClient client, string path) => DiskBootFile.OpenBelow(folder, path);

    void IBootObserver.Asked(DhcpSighting sighting) => events.Write("asked", ("mac", sighting.Mac), ("kind", sighting.Kind),
        ("rom", sighting.IsPi3Rom),
        ("asked", sighting.Asked), ("answered", sighting.Answered), ("address", sighting.Address), ("relay", sighting.Relay));

    void IBootObserver.Malformed(string protocol) => events.Write("malformed", ("protocol", protocol));

    void IBootObserver.Fetched(TftpSighting sighting) => events.Write("fetched", ("client", sighting.Client.Address),
        ("mac", sighting.Client.Mac), ("path", sighting.Path),
        ("outcome", sighting.Outcome), ("bytes", sighting.Bytes), ("reason", sighting.Detail));
}
