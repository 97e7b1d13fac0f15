using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer;

/// <summary>Gives the appliance what is to be kept of the old system, and has it back. Who falls silent is given up.</summary>
/// <param name="handler">Shows the node's certificate, and knows the appliance's; the client's from now on.</param>
/// <param name="appliance">Its link's port.</param>
public sealed class KeptClient(HttpMessageHandler handler, Uri appliance) : IDisposable
{
    private const int PieceBytes = 64 << 10;

    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(60);

    private readonly HttpClient _http = new(handler) { BaseAddress = appliance, Timeout = Timeout.InfiniteTimeSpan };

    /// <summary>What the appliance has already, and how much it takes.</summary>
    /// <exception cref="InstallException">It cannot be asked, or refuses.</exception>
    public async Task<KeptState> StateAsync(Guid task, CancellationToken cancellation)
    {
        const string doing = "asking the appliance for what it keeps of this node";
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        silence.CancelAfter(s_silence);
        return await TryAsync(doing, async () =>
        {
            using HttpResponseMessage response = await _http.GetAsync(KeptArchive.StatePath(task), silence.Token).ConfigureAwait(false);
            await RefuseAsync(response, doing, silence.Token).ConfigureAwait(false);
            return await response.Content.ReadFromJsonAsync(ProtocolJson.Default.KeptState, silence.Token).ConfigureAwait(false) ??
                throw new JsonException("it is empty");
        }, cancellation).ConfigureAwait(false);
    }

    /// <summary>Stores an archive; the appliance has all of it afterwards, unchanged.</summary>
    /// <param name="room">Bytes that the appliance has said to take.</param>
    /// <param name="write">Writes it, by blocking calls, on a thread of its own.</param>
    /// <exception cref="InstallException">It is too long, or did not get through whole.</exception>
    /// <exception cref="IOException">Of <paramref name="write"/>'s own.</exception>
    public async Task<KeptArchive> StoreAsync(Guid task, long room, Func<Stream, Task> write, CancellationToken cancellation)
    {
        const string doing = "giving the appliance what is to be kept";
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long length = 0;
        IOException? own = null;
        var content = new WrittenContent(async body =>
        {
            try
            {
                await write(new Passage(body, silence, piece =>
                {
                    hash.AppendData(piece);
                    length += piece.Length;
                    if (length > room)
                    {
                        throw new InstallException(
                            $"what is to be kept does not fit on the appliance, which has room for {room} bytes of it (packed). " +
                            $"Nothing was written to the disk");
                    }
                })).ConfigureAwait(false);
                silence.CancelAfter(s_silence);
            }
            catch (IOException e) when (e is not HttpIOException && e.Data[Passage.Broken] is null)
            {
                own = e;
                throw;
            }
        });
        KeptArchive stored = await TryAsync(doing, async () =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, KeptArchive.Path(task)) { Content = content };
            try
            {
                using HttpResponseMessage response = await _http.SendAsync(request, silence.Token).ConfigureAwait(false);
                await RefuseAsync(response, doing, silence.Token).ConfigureAwait(false);
                return await response.Content.ReadFromJsonAsync(ProtocolJson.Default.KeptArchive, silence.Token).ConfigureAwait(false) ??
                    throw new JsonException("it is empty");
            }
            catch (Exception) when (own is not null)
            {
                throw Unreadable(own);
            }
        }, cancellation).ConfigureAwait(false);
        var sent = new KeptArchive(Digest.Finish(hash), length);
        return stored == sent ? stored : throw new InstallException(
            $"{doing}: it has got {stored.Length} bytes with the digest {stored.Digest}, and not what was sent", mayPass: true);
    }

    /// <summary>Has an archive back.</summary>
    /// <param name="read">Reads it, by blocking calls, on a thread of its own.</param>
    /// <exception cref="InstallException">It did not come, or is not the one that was given: nothing that was read is worth
    /// anything.</exception>
    public async Task FetchAsync(Guid task, KeptArchive archive, Func<Stream, Task> read, CancellationToken cancellation)
    {
        const string doing = "fetching what was kept";
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Digest received = await TryAsync(doing, async () =>
        {
            silence.CancelAfter(s_silence);
            using HttpResponseMessage response =
                await _http.GetAsync(KeptArchive.Path(task), HttpCompletionOption.ResponseHeadersRead, silence.Token).ConfigureAwait(false);
            await RefuseAsync(response, doing, silence.Token).ConfigureAwait(false);
            await using Stream body = await response.Content.ReadAsStreamAsync(silence.Token).ConfigureAwait(false);
            var passage = new Passage(body, silence, hash.AppendData);
            await read(passage).ConfigureAwait(false);
            // What follows the archive's end belongs to its digest.
            byte[] rest = new byte[PieceBytes];
            while (passage.Read(rest) > 0)
            {
            }
            return Digest.Finish(hash);
        }, cancellation).ConfigureAwait(false);
        if (received != archive.Digest)
        {
            throw new InstallException($"{doing}: its digest is {received}, not {archive.Digest}", mayPass: true);
        }
    }

    public void Dispose() => _http.Dispose();

    internal static InstallException Unreadable(IOException e) =>
        new($"what is to be kept cannot be read from the old system: {e.Message}. Nothing was written to the disk", inner: e);

    private static async Task RefuseAsync(HttpResponseMessage response, string doing, CancellationToken cancellation)
    {
        if (!response.IsSuccessStatusCode)
        {
            string reason = (await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false)).Trim();
            throw new InstallException($"{doing}: it refuses ({(int)response.StatusCode} {reason})",
                mayPass: response.StatusCode >= HttpStatusCode.InternalServerError &&
                response.StatusCode != HttpStatusCode.InsufficientStorage);
        }
    }

    private static async Task<T> TryAsync<T>(string doing, Func<Task<T>> work, CancellationToken cancellation)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new InstallException($"{doing}: it has said nothing for {s_silence.TotalSeconds:0} s", mayPass: true);
        }
        catch (Exception e) when (
            (e is HttpRequestException or HttpIOException or JsonException) || (e is IOException && e.Data[Passage.Broken] is not null))
        {
            cancellation.ThrowIfCancellationRequested();
            throw new InstallException($"{doing}: {e.Message}", mayPass: true, inner: e);
        }
    }

    /// <summary>A body that is written as it is sent; its length is not known before.</summary>
    private sealed class WrittenContent(Func<Stream, Task> write) : HttpContent
    {
        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => write(stream);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    /// <summary>The way over the network: what passes is looked at, and a piece that does not pass in time ends it.</summary>
    private sealed class Passage(Stream body, CancellationTokenSource silence, Action<ReadOnlySpan<byte>> look) : Stream
    {
        /// <summary>Marks exceptions of the network: those of the disk are others.</summary>
        public const string Broken = "network";

        public override bool CanRead => body.CanRead;

        public override bool CanWrite => body.CanWrite;

        public override bool CanSeek => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(Span<byte> buffer)
        {
            int read;
            silence.CancelAfter(s_silence);
            try
            {
                read = body.Read(buffer);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                throw Marked(e);
            }
            finally
            {
                silence.CancelAfter(Timeout.InfiniteTimeSpan);
            }
            look(buffer[..read]);
            return read;
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            look(buffer);
            silence.CancelAfter(s_silence);
            try
            {
                body.Write(buffer);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                throw Marked(e);
            }
            finally
            {
                silence.CancelAfter(Timeout.InfiniteTimeSpan);
            }
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Flush() => body.Flush();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        private IOException Marked(Exception e)
        {
            silence.Token.ThrowIfCancellationRequested();
            return new IOException(e.Message, e) { Data = { [Broken] = true } };
        }
    }
}
