using System.Net;
using Bootstrap.Protocol.Ids;

namespace Bootstrap.Netboot.Tftp;

/// <summary>The kernel's ARP table: which hardware address an IPv4 neighbour has.</summary>
public static class NeighbourTable
{
    private const string Source = "/proc/net/arp";

    /// <summary>Null if the table does not know the address: loopback, behind a router, or forgotten.</summary>
    public static MacAddress? Find(IPAddress address)
    {
        string wanted = address.ToString();
        try
        {
            // IP address, HW type, flags, HW address, mask, device: in columns, under a heading.
            foreach (string line in File.ReadLines(Source))
            {
                string[] columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                if (columns.Length >= 4 && columns[0] == wanted && MacAddress.TryParse(columns[3], out MacAddress mac) && mac.Value != 0)
                {
                    return mac;
                }
            }
            return null;
        }
        catch (IOException)
        {
            return null; // no /proc: boards are then told apart by their address and path
        }
    }
}
