using System.Net;
using System.Net.Sockets;

namespace Bootstrap.Rack;

/// <summary>
/// Passes connections on. A rack's network cannot be reached from outside, but its files are the same: one forwarder in the rack listens
/// on a Unix socket, and whoever is outside connects to that.
/// </summary>
public static class Forwarder
{
    /// <summary>Accepts connections and passes each on to a new one, until cancelled.</summary>
    /// <param name="listener">Bound and listening; disposed at the end.</param>
    /// <param name="target">Where each connection goes.</param>
    /// <param name="cancel">Ends all connections.</param>
    public static async Task RunAsync(Socket listener, EndPoint target, CancellationToken cancel)
    {
        using (listener)
        {
            var running = new List<Task>();
            try
            {
                while (true)
                {
                    Socket accepted = await listener.AcceptAsync(cancel);
                    running.RemoveAll(task => task.IsCompleted);
                    running.Add(PassAsync(accepted, target, cancel));
                }
            }
            catch (OperationCanceledException)
            {
                await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>A listener on a Unix socket.</summary>
    public static Socket Listen(string path)
    {
        File.Delete(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        socket.Listen();
        return socket;
    }

    private static async Task PassAsync(Socket accepted, EndPoint target, CancellationToken cancel)
    {
        using var near = new NetworkStream(accepted, ownsSocket: true);
        using var other = new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await other.ConnectAsync(target, cancel);
            using var far = new NetworkStream(other);
            // When either side has said all, both are closed: HTTP's clients and servers here do not half-close.
            await Task.WhenAny(near.CopyToAsync(far, cancel), far.CopyToAsync(near, cancel));
        }
        catch (SocketException)
        {
            // The target is away; whoever connected sees a closed connection.
        }
        catch (IOException)
        {
            // One side broke off.
        }
    }
}
