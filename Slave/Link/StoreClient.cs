using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Link;

/// <summary>
/// Fetches what the appliance stores: over plain HTTP what is public, else from the link's port by the node's certificate. Whatever comes
/// is worth nothing
/// before its digest was checked. A server
/// that falls silent is given up, however little it has sent; each thing is asked for five times at most.
/// </summary>
/// <param name="appliance">"http://10.0.0.1:8080" or "https://10.0.0.1:8444".</param>
/// <param name="log">The node's log.</param>
/// <param name="clock">Times silence and back-off.</param>
/// <param name="handler">Who is believed and who this node is (<see cref="ApplianceTls.CreateHandler"/>); null: plain HTTP. It is the
/// client's from now on.</param>
public sealed class StoreClient(Uri appliance, Action<string> log, TimeProvider clock, SocketsHttpHandler? handler = null) : IDisposable
{
    private const int Attempts = 5;
    private const int MaximumManifestBytes = 64 << 20;
    private static readonly TimeSpan s_silence = TimeSpan.FromSeconds(20);

    private readonly HttpClient _http = new(handler ?? new SocketsHttpHandler
    {
        ConnectTimeout = TimeSpan.FromSeconds(5),
        UseProxy = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Fetches exactly as many bytes as the buffer holds.</summary>
    /// <param name="what">For messages: "chunk 12".</param>
    /// <param name="path">Absolute path of the URL.</param>
    /// <param name="digest">What the bytes must be.</param>
    /// <exception cref="FetchException">Five attempts failed, or the appliance says that its copy is damaged; the message names the last
    /// fault.</exception>
    public Task FetchAsync(string what, string path, Digest digest, Memory<byte> buffer, CancellationToken cancellation) =>
        TryAsync(what, path, async silence =>
        {
            int done = 0;
            await ReceiveAsync(path, buffer.Length, silence, piece =>
            {
                piece.CopyTo(buffer[done..]);
                done += piece.Length;
            }).ConfigureAwait(false);
            Check(Digest.Of(buffer.Span), digest);
            return true;
        }, cancellation);

    /// <summary>Fetches a file of any size into the file system, through little memory, and brings it to the medium.</summary>
    /// <param name="target">What is in it is replaced; a failure leaves a part.</param>
    /// <exception cref="FetchException">Five attempts failed; the message names the last fault.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public Task FetchFileAsync(string what, RemoteFile file, FileStream target, CancellationToken cancellation) =>
        TryAsync(what, file.Path, async silence =>
        {
            target.SetLength(0);
            target.Position = 0;
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            await ReceiveAsync(file.Path, file.Length, silence, piece =>
            {
                hash.AppendData(piece.Span);
                target.Write(piece.Span);
            }).ConfigureAwait(false);
            Check(Digest.Finish(hash), file.Digest);
            target.Flush(flushToDisk: true);
            return true;
        }, cancellation);

    /// <summary>Fetches a document of unknown length, 64 MiB at most; the caller checks it.</summary>
    public Task<byte[]> FetchDocumentAsync(string what, string path, CancellationToken cancellation) =>
        TryAsync(what, path, async silence =>
        {
            using HttpResponseMessage response = await OpenAsync(path, silence).ConfigureAwait(false);
            await using Stream body = await response.Content.ReadAsStreamAsync(silence.Token).ConfigureAwait(false);
            using var document = new MemoryStream();
            byte[] buffer = new byte[64 << 10];
            for (int n; (n = await body.ReadAsync(buffer, silence.Token).ConfigureAwait(false)) > 0;)
            {
                document.Write(buffer, 0, n);
                if (document.Length > MaximumManifestBytes)
                {
                    throw new HttpIOException(HttpRequestError.InvalidResponse, $"it is longer than {MaximumManifestBytes} bytes");
                }
                silence.CancelAfter(s_silence);
            }
            return document.ToArray();
        }, cancellation);

    public void Dispose() => _http.Dispose();

    private async Task ReceiveAsync(string path, long length, CancellationTokenSource silence, Action<ReadOnlyMemory<byte>> take)
    {
        using HttpResponseMessage response = await OpenAsync(path, silence).ConfigureAwait(false);
        long? announced = response.Content.Headers.ContentLength;
        if (announced is not null && announced != length)
        {
            // The appliance means to send something else: as with a wrong digest, asking for hours does not help.
            throw new CorruptException($"it has {announced} bytes, not {length}");
        }
        await using Stream body = await response.Content.ReadAsStreamAsync(silence.Token).ConfigureAwait(false);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(64 << 10);
        try
        {
            for (long done = 0; done < length;)
            {
                int n = await body.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, length - done)), silence.Token)
                    .ConfigureAwait(false);
                if (n == 0)
                {
                    throw new HttpIOException(HttpRequestError.ResponseEnded, $"it ended after {done} of {length} bytes");
                }
                take(buffer.AsMemory(0, n));
                done += n;
                silence.CancelAfter(s_silence);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static void Check(Digest received, Digest wanted)
    {
        if (received != wanted)
        {
            throw new CorruptException($"its digest is {received}, not {wanted}");
        }
    }

    private async Task<HttpResponseMessage> OpenAsync(string path, CancellationTokenSource silence)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(appliance, path));
        HttpResponseMessage response =
            await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, silence.Token).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            HttpStatusCode status = response.StatusCode;
            response.Dispose();
            throw new HttpRequestException($"the appliance answers {(int)status} {status}", null, status);
        }
        silence.CancelAfter(s_silence);
        return response;
    }

    private async Task<T> TryAsync<T>(
        string what, string path, Func<CancellationTokenSource, Task<T>> fetch, CancellationToken cancellation)
    {
        for (int attempt = 1; ; attempt++)
        {
            using var timer = new CancellationTokenSource(s_silence, clock);
            using var silence = new SilenceTimer(timer, cancellation);
            string fault;
            bool corrupt = false;
            try
            {
                return await fetch(timer).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                fault = $"nothing came for {s_silence.TotalSeconds:0} s";
            }
            catch (CorruptException e)
            {
                fault = e.Message;
                corrupt = true;
            }
            catch (HttpRequestException e) when (e.StatusCode == HttpStatusCode.Gone)
            {
                throw new FetchException(
                    $"fetching {what} from {new Uri(appliance, path)}: the appliance's stored {what} is damaged: import the image again",
                    mayPass: false);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or SocketException)
            {
                fault = e.Message;
            }
            string message = $"fetching {what} from {new Uri(appliance, path)}: {fault}";
            if (attempt == Attempts)
            {
                throw new FetchException($"{message} ({Attempts} attempts)", mayPass: !corrupt);
            }
            TimeSpan delay = BackOff.Delay(attempt - 1, Random.Shared.NextDouble());
            log($"{message}; trying again in {delay.TotalSeconds:0.0} s");
            await Task.Delay(delay, clock, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The bytes are not those that were asked for.</summary>
    private sealed class CorruptException(string message) : CryptographicException(message);

    /// <summary>Passes the caller's cancellation on to the timer that each received piece winds up again.</summary>
    private sealed class SilenceTimer(CancellationTokenSource timer, CancellationToken cancellation) : IDisposable
    {
        private readonly CancellationTokenRegistration _registration = cancellation.Register(timer.Cancel);

        public void Dispose() => _registration.Dispose();
    }
}
