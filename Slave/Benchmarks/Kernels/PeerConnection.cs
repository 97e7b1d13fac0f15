using System.Buffers.Binary;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using Bootstrap.Protocol.Benchmarks;

namespace Bootstrap.Benchmarks.Kernels;

/// <summary>A connection to the other end of a benchmark of the network (<see cref="PeerService"/>). One thread uses it.</summary>
internal sealed class PeerConnection : IDisposable
{
    /// <summary>The head of an answer is shorter.</summary>
    private const int LongestHead = 8 << 10;

    /// <summary>A node is told to listen at the time at which this one is told to measure.</summary>
    private const int Attempts = 20;

    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(10), s_pause = TimeSpan.FromSeconds(0.5);

    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp);
    private readonly string _name;

    /// <summary>Connects, and proves to know the secret.</summary>
    /// <exception cref="IOException">The other end does not answer, or not like one.</exception>
    public PeerConnection(BenchmarkPeer peer)
    {
        _name = peer.Name;
        _socket.NoDelay = true;
        _socket.SendTimeout = _socket.ReceiveTimeout = (int)s_silence.TotalMilliseconds;
        try
        {
            Connect(peer);
            Upgrade(peer);
            Prove(peer);
        }
        catch (IOException)
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>Asks for something.</summary>
    /// <param name="what">As <see cref="PeerService"/> names it.</param>
    public void Ask(byte what, long bytes)
    {
        Span<byte> question = stackalloc byte[PeerService.QuestionBytes];
        question[0] = what;
        BinaryPrimitives.WriteInt64BigEndian(question[1..], bytes);
        Send(question);
    }

    /// <summary>Sends all of it.</summary>
    /// <exception cref="IOException">The connection broke, or the other end is silent.</exception>
    public void Send(ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            try
            {
                data = data[_socket.Send(data)..];
            }
            catch (SocketException e)
            {
                throw Broken(e);
            }
        }
    }

    /// <summary>Receives until it is full.</summary>
    /// <exception cref="IOException">The connection broke or was closed, or the other end is silent.</exception>
    public void Receive(Span<byte> data)
    {
        while (data.Length > 0)
        {
            int read;
            try
            {
                read = _socket.Receive(data);
            }
            catch (SocketException e)
            {
                throw Broken(e);
            }
            if (read == 0)
            {
                throw new IOException($"{_name} has closed the connection: it does not let this node measure the network against it");
            }
            data = data[read..];
        }
    }

    public void Dispose() => _socket.Dispose();

    private IOException Broken(SocketException e) => new($"{_name} does not answer any more: {e.Message}", e);

    private void Connect(BenchmarkPeer peer)
    {
        using var never = new ManualResetEventSlim();
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                _socket.Connect(peer.Host, peer.Port);
                return;
            }
            catch (SocketException e)
            {
                if (attempt == Attempts || e.SocketErrorCode != SocketError.ConnectionRefused)
                {
                    throw new IOException($"{peer.Name} cannot be reached at {peer.Host}, TCP port {peer.Port}: {e.Message}", e);
                }
                never.Wait(s_pause);
            }
        }
    }

    /// <summary>Both ends prove that they know the secret: else any program on the other machine could answer.</summary>
    private void Prove(BenchmarkPeer peer)
    {
        byte[] challenge = new byte[PeerSecrets.Length], answer = new byte[PeerSecrets.Length];
        Receive(challenge);
        byte[] proof = PeerSecrets.ProofOf(peer.Secret, challenge);
        Send(proof);
        Receive(answer);
        if (!CryptographicOperations.FixedTimeEquals(answer, PeerSecrets.ProofOf(peer.Secret, proof)))
        {
            throw new IOException($"{_name} is not who answers at {peer.Host}, TCP port {peer.Port}: another program does");
        }
    }

    private void Upgrade(BenchmarkPeer peer)
    {
        string host = peer.Host.Contains(':', StringComparison.Ordinal) ? $"[{peer.Host}]" : peer.Host;
        Send(Encoding.ASCII.GetBytes($"GET {PeerService.Path} HTTP/1.1\r\nHost: {host}:{peer.Port}\r\nConnection: Upgrade\r\n" +
            $"Upgrade: {PeerService.Word}\r\n\r\n"));
        var head = new StringBuilder();
        Span<byte> one = stackalloc byte[1];
        // Byte by byte: what comes behind the head is not HTTP any more.
        while (head.Length < LongestHead && !(head.Length >= 4 && head.ToString(head.Length - 4, 4) == "\r\n\r\n"))
        {
            Receive(one);
            head.Append((char)one[0]);
        }
        string first = head.ToString().Split("\r\n")[0];
        if (!first.StartsWith("HTTP/1.1 101 ", StringComparison.Ordinal))
        {
            throw new IOException($"{peer.Name} does not let this node measure the network against it: '{first}'");
        }
    }
}
