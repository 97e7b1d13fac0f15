using System.Net;
using System.Net.Sockets;

namespace Bootstrap.Agent.Status;

/// <summary>
/// The connections of those who have not shown a token yet. There is room for a few: where there is none, the network that has most of them
/// loses its oldest, so that one machine that opens many takes them from itself. Thread-safe.
/// </summary>
/// <param name="most">How many there may be.</param>
internal sealed class StrangerRoom(int most)
{
    private readonly Lock _lock = new();
    private readonly List<(string Network, Socket Socket)> _inside = [];

    /// <summary>Lets one in; somebody else's socket may be closed for it.</summary>
    public void Enter(Socket socket, IPAddress source)
    {
        Socket? evicted = null;
        lock (_lock)
        {
            if (_inside.Count >= most)
            {
                string greediest = _inside.GroupBy(stranger => stranger.Network).MaxBy(its => its.Count())!.Key;
                int oldest = _inside.FindIndex(stranger => stranger.Network == greediest);
                evicted = _inside[oldest].Socket;
                _inside.RemoveAt(oldest);
            }
            _inside.Add((NetworkOf(source), socket));
        }
        evicted?.Dispose();
    }

    /// <summary>It is gone, or is no stranger any more.</summary>
    /// <returns>False: it was put out before.</returns>
    public bool Leave(Socket socket)
    {
        lock (_lock)
        {
            return _inside.RemoveAll(stranger => stranger.Socket == socket) > 0;
        }
    }

    /// <summary>A host has all addresses of an IPv6 network of 64 bits.</summary>
    private static string NetworkOf(IPAddress source)
    {
        IPAddress plain = source.IsIPv4MappedToIPv6 ? source.MapToIPv4() : source;
        return plain.AddressFamily == AddressFamily.InterNetwork ? plain.ToString()
            : Convert.ToHexStringLower(plain.GetAddressBytes().AsSpan(0, 8));
    }
}
