using System.Net.Sockets;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Discovery.Local;

namespace Bootstrap.Agent.Discovery;

/// <summary>What the programs of this machine need of discovery.</summary>
/// <param name="Meshes">This node's.</param>
/// <param name="Interfaces">To ask on; null: all physical ones.</param>
/// <param name="Verifier">Proves answers.</param>
/// <param name="Registry">Takes their services.</param>
/// <param name="Clock">Times searches.</param>
public sealed record LocalContext(
    IReadOnlyList<string> Meshes, IReadOnlyCollection<string>? Interfaces, MessageVerifier Verifier, ServiceRegistry Registry,
    TimeProvider Clock);

/// <summary>The Unix socket by which programs of this machine use discovery (<see cref="LocalRequest"/>). Everybody may connect.</summary>
/// <param name="path">Of the socket; the folder is made if it is not there.</param>
/// <param name="context">What sessions work with.</param>
/// <param name="log">Told why it cannot listen: a node without it does everything else.</param>
public sealed class LocalApi(string path, LocalContext context, Action<string> log)
{
    /// <summary>Of all users together; those of root, whose programs the machine depends on, always find room.</summary>
    private const int MaximumSessions = 256, KeptForRoot = 32;

    /// <summary>Of one user that is not root.</summary>
    internal const int MaximumOfUser = 32;

    /// <summary>Serves until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        using Socket? listener = TryListen();
        if (listener is null)
        {
            return;
        }
        var sessions = new List<(uint User, Task Running)>();
        try
        {
            while (true)
            {
                Socket connection = await listener.AcceptAsync(cancellation).ConfigureAwait(false);
                sessions.RemoveAll(session => session.Running.IsCompleted);
                uint user = LocalSession.UserOf(connection);
                bool hasRoom = user == 0 ? sessions.Count < MaximumSessions
                    : sessions.Count < MaximumSessions - KeptForRoot && sessions.Count(session => session.User == user) < MaximumOfUser;
                if (!hasRoom)
                {
                    connection.Dispose();
                    continue;
                }
                sessions.Add((user, new LocalSession(connection, user, context).RunAsync(cancellation)));
            }
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Asked to stop.
        }
        finally
        {
            File.Delete(path);
            await Task.WhenAll(sessions.Select(session => session.Running)).ConfigureAwait(false);
        }
    }

    private Socket? TryListen()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            // It has its name when it answers: who waits for the file is not refused.
            string unready = path + ".new";
            File.Delete(unready);
            socket.Bind(new UnixDomainSocketEndPoint(unready));
            File.SetUnixFileMode(unready, (UnixFileMode)0b110_110_110);
            socket.Listen();
            // In the place of one of a Slave that was killed.
            File.Move(unready, path, overwrite: true);
            return socket;
        }
        catch (Exception e) when (e is SocketException or UnauthorizedAccessException or IOException)
        {
            socket.Dispose();
            log($"this machine's programs cannot use discovery: listening on {path}: {e.Message}");
            return null;
        }
    }
}
