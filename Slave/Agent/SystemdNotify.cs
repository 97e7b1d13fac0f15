using System.Net.Sockets;
using System.Text;

namespace Bootstrap.Agent;

/// <summary>Tells systemd how the daemon is (sd_notify(3)): a datagram to the socket that it names.</summary>
internal static class SystemdNotify
{
    /// <param name="state"><c>READY=1</c>, <c>STOPPING=1</c>, <c>STATUS=…</c></param>
    public static void Send(string state)
    {
        if (Environment.GetEnvironmentVariable("NOTIFY_SOCKET") is not { Length: > 1 } name)
        {
            return;
        }
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        // A leading @ stands for the NUL of an abstract address.
        socket.Connect(new UnixDomainSocketEndPoint(name[0] == '@' ? '\0' + name[1..] : name));
        socket.Send(Encoding.UTF8.GetBytes(state));
    }
}
