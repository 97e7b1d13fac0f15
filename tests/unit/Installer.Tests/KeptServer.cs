using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Installer.Tests;

/// <summary>An appliance that keeps archives in memory, and can be made to fail.</summary>
internal sealed class KeptServer : IAsyncDisposable
{
    private readonly WebApplication _server;

    public KeptServer()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _server = builder.Build();
        _server.Run(AnswerAsync);
        _server.Start();
        Address = new Uri(_server.Urls.Single());
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
    public Task StopAsync() => _server.StopAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        HttpRequest request = context.Request;
        if (request.Method == "PUT")
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            Archive = body.ToArray();
            Stored++;
        }
        else if (!request.Path.Value!.EndsWith("/state", StringComparison.Ordinal))
        {
            Fetched++;
            byte[] copy = [.. Archive!];
            copy[^1] ^= (byte)(Spoils ? 1 : 0);
            await context.Response.Body.WriteAsync(copy);
            return;
        }
        KeptArchive? archive = Archive is null ? null : new KeptArchive(Digest.Of(Archive), Archive.Length);
        context.Response.ContentType = "application/json";
        await context.Response.Body.WriteAsync(request.Method == "PUT"
            ? JsonSerializer.SerializeToUtf8Bytes(archive!, ProtocolJson.Default.KeptArchive)
            : JsonSerializer.SerializeToUtf8Bytes(new KeptState(archive, Room), ProtocolJson.Default.KeptState));
    }
}
