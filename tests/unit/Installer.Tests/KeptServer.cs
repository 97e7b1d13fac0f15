using System.Net;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer.Tests;

/// <summary>An appliance that keeps archives in memory, and can be made to fail.</summary>
internal sealed class KeptServer : IAsyncDisposable
{
    private readonly HttpListener _listener;
    private readonly Task _loop;

    public KeptServer()
    {
        // A port that is free is found by trying: this class takes no 0.
        for (int port = Random.Shared.Next(20_000, 32_000); ; port++)
        {
            Address = new Uri($"http://127.0.0.1:{port}/");
            _listener = new HttpListener();
            _listener.Prefixes.Add(Address.ToString());
            try
            {
                _listener.Start();
                break;
            }
            catch (HttpListenerException)
            {
                // Somebody else has it.
            }
        }
        _loop = ServeAsync();
    }

    public Uri Address { get; }

    /// <summary>The one archive; null: none.</summary>
    public byte[]? Archive { get; set; }

    public long Room { get; set; } = long.MaxValue;

    /// <summary>How often an archive was given.</summary>
    public int Stored { get; private set; }

    /// <summary>How often it was had back.</summary>
    public int Fetched { get; private set; }

    /// <summary>A byte of it is wrong when it is had back.</summary>
    public bool Spoils { get; set; }

    /// <summary>Answers nobody any more.</summary>
    public void Stop() => _listener.Stop();

    public async ValueTask DisposeAsync()
    {
        if (_listener.IsListening)
        {
            Stop();
        }
        await _loop;
        _listener.Close();
    }

    private async Task ServeAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            byte[] answer = await AnswerAsync(context.Request);
            context.Response.ContentType = "application/json";
            context.Response.Close(answer, willBlock: false);
        }
    }

    private async Task<byte[]> AnswerAsync(HttpListenerRequest request)
    {
        if (request.HttpMethod == "PUT")
        {
            using var body = new MemoryStream();
            await request.InputStream.CopyToAsync(body);
            Archive = body.ToArray();
            Stored++;
        }
        else if (!request.Url!.AbsolutePath.EndsWith("/state", StringComparison.Ordinal))
        {
            Fetched++;
            byte[] copy = [.. Archive!];
            copy[^1] ^= (byte)(Spoils ? 1 : 0);
            return copy;
        }
        KeptArchive? archive = Archive is null ? null : new KeptArchive(Digest.Of(Archive), Archive.Length);
        return request.HttpMethod == "PUT"
            ? JsonSerializer.SerializeToUtf8Bytes(archive!, ProtocolJson.Default.KeptArchive)
            : JsonSerializer.SerializeToUtf8Bytes(new KeptState(archive, Room), ProtocolJson.Default.KeptState);
    }
}
