using System.Net;
using System.Net.Sockets;

namespace Bootstrap.Netboot.Tftp;

/// <summary>One request: looked at, answered or refused, and reported.</summary>
internal sealed class TftpConversation(IPEndPoint client, IPAddress local, TftpRequest request, TftpServerOptions options,
    IBootFiles files, TransferLoop loop)
{
    /// <summary>A request that was sent again may be looked at this much later than the client's answer to what came of the
    /// first.</summary>
    private static readonly TimeSpan s_overtaken = TimeSpan.FromSeconds(1);

    private readonly long _begun = loop.Clock.GetTimestamp();
    private readonly BootClient _who = new(client.Address, options.Neighbours(client.Address));

    private volatile TransferPort? _port;
    private volatile bool _superseded, _refused;

    /// <summary>Whether the same request has come once more because the client has not heard of this one yet. On the loop's
    /// thread.</summary>
    public bool IsRepeatedBy(TftpRequest other) => request.IsSameAs(other) && !_refused
        && _port is not ({ HasEnded: true } or { IsForsaken: true })
        && (_port?.HeardAt is not { } heard || loop.Clock.GetElapsedTime(heard) < s_overtaken);

    /// <summary>Hears what the client has sent here before its next request. On the loop's thread.</summary>
    /// <returns>False: nothing, any more.</returns>
    public bool Hear() => _port is { } port && loop.Hear(port);

    /// <summary>The client has begun anew: this ends. On the loop's thread.</summary>
    public void Supersede()
    {
        _superseded = true;
        _port?.Supersede();
    }

    /// <summary>Who asked.</summary>
    public BootClient Who => _who;

    /// <summary>The client asks for something else, from another port. On any thread.</summary>
    /// <param name="restarted">It is known to have begun anew.</param>
    public void Forsake(bool restarted) => _port?.Forsake(restarted);

    /// <summary>Serves the request to its end.</summary>
    /// <exception cref="OperationCanceledException">The service stops.</exception>
    public async Task<TftpSighting> RunAsync() => await ServeAsync() with { Took = loop.Clock.GetElapsedTime(_begun) };

    private async Task<TftpSighting> ServeAsync()
    {
        try
        {
            using var port = new TransferPort(loop, local, client);
            _port = port;
            if (_superseded)
            {
                port.Supersede();
            }
            return !BootPath.TryNormalise(request.Path, out string? path)
                ? Refuse(port, TftpError.AccessViolation, "this path is not allowed") :
                request.Mode is not ("octet" or "netascii")
                    ? Refuse(port, TftpError.IllegalOperation, "the mode must be octet or netascii") :
                request.Opcode == TftpOpcode.ReadRequest ? await SendAsync(port, path) :
                options.Uploads is { } uploads ? await TakeAsync(port, path, uploads) :
                Refuse(port, TftpError.AccessViolation, "nothing can be written here");
        }
        catch (SocketException reason)
        {
            return Failed(request.Path, 0, reason);
        }
    }

    private bool IsText => request.Mode == "netascii";

    private async Task<TftpSighting> SendAsync(TransferPort port, string path)
    {
        TftpDownload? download = null;
        long? length = null;
        int blockSize = 0;
        try
        {
            using BootFile? file = files.Find(_who, path);
            length = file?.Length;
            if (file is null)
            {
                Tell(port, TftpError.FileNotFound, "no such file");
                return new TftpSighting(_who, path, TftpOutcome.NotFound, 0, null);
            }
            var terms = TftpTerms.Negotiate(request.Options, IsText ? null : file.Length, isUpload: false, port.LargestPacket);
            blockSize = terms.BlockSize;
            download = new TftpDownload(port, loop, file, terms, IsText);
            (TftpOutcome outcome, string? detail) = await download.RunAsync();
            return new TftpSighting(_who, path, outcome, download.Acknowledged, detail) { Length = length, BlockSize = blockSize };
        }
        catch (IOException reason)
        {
            Tell(port, TftpError.NotDefined, "the file cannot be read");
            return new TftpSighting(_who, path, TftpOutcome.Failed, download?.Acknowledged ?? 0, $"reading {path}: {reason.Message}")
            {
                Length = length,
                BlockSize = blockSize,
            };
        }
        catch (SocketException reason)
        {
            return Failed(path, download?.Acknowledged ?? 0, reason) with { Length = length, BlockSize = blockSize };
        }
        catch (SupersededException reason)
        {
            long bytes = download?.Acknowledged ?? 0;
            return new TftpSighting(_who, path, bytes > 0 ? TftpOutcome.Aborted : TftpOutcome.Probed, bytes, reason.Message)
            {
                Length = length,
                BlockSize = blockSize,
            };
        }
    }

    private async Task<TftpSighting> TakeAsync(TransferPort port, string path, TftpUploads uploads)
    {
        TftpUpload? upload = null;
        try
        {
            var terms = TftpTerms.Negotiate(request.Options, null, isUpload: true, port.LargestPacket);
            if (terms.Size > uploads.MaxBytes)
            {
                return Refuse(port, TftpError.DiskFull, $"files of more than {uploads.MaxBytes} bytes are not taken");
            }
            if (!TftpUpload.TryCreate(uploads, _who, path, out FileStream? file, out (TftpError Code, string Reason) refusal))
            {
                return Refuse(port, refusal.Code, refusal.Reason);
            }
            upload = new TftpUpload(port, loop, uploads, file, terms, IsText);
            (TftpOutcome outcome, string? detail) = await upload.RunAsync();
            return new TftpSighting(_who, path, outcome, upload.Received, detail) { IsUpload = true };
        }
        catch (Exception reason) when (reason is IOException or UnauthorizedAccessException)
        {
            Tell(port, TftpError.NotDefined, "the file cannot be written");
            return new TftpSighting(_who, path, TftpOutcome.Failed, 0, $"writing {path}: {reason.Message}") { IsUpload = true };
        }
        catch (SocketException reason)
        {
            return Failed(path, upload?.Received ?? 0, reason);
        }
        catch (SupersededException reason)
        {
            return new TftpSighting(_who, path, TftpOutcome.Aborted, upload?.Received ?? 0, reason.Message) { IsUpload = true };
        }
    }

    private TftpSighting Refuse(TransferPort port, TftpError error, string reason)
    {
        Tell(port, error, reason);
        return new TftpSighting(_who, TftpPacket.Printable(request.Path), TftpOutcome.Refused, 0,
            reason)
        { IsUpload = request.Opcode == TftpOpcode.WriteRequest };
    }

    /// <summary>
    /// ICMP "port unreachable": the client has closed its port, which some do instead of sending an error; after the first reply it is a
    /// probe.
    /// </summary>
    private TftpSighting Failed(string path, long bytes, SocketException reason)
    {
        bool upload = request.Opcode == TftpOpcode.WriteRequest;
        TftpOutcome outcome =
            reason.SocketErrorCode != SocketError.ConnectionRefused ? TftpOutcome.Failed :
            bytes == 0 && !upload ? TftpOutcome.Probed :
            TftpOutcome.Aborted;
        return new TftpSighting(_who, TftpPacket.Printable(path), outcome, bytes, reason.Message) { IsUpload = upload };
    }

    /// <summary>Errors are sent once and never acknowledged (RFC 1350 §7); one that cannot be sent is as good as lost.</summary>
    private void Tell(TransferPort port, TftpError code, string text)
    {
        _refused = true;
        try
        {
            port.Send(TftpPacket.Error(code, text), int.MaxValue);
        }
        catch (SocketException)
        {
        }
    }
}
