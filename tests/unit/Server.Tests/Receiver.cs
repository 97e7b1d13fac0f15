using System.Collections.Concurrent;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Tests;

/// <summary>A program that is told by webhooks.</summary>
internal sealed class Receiver : IAsyncDisposable
{
    private readonly WebApplication _application;

    private Receiver(WebApplication application) => _application = application;

    public sealed record Request(string Id, long Timestamp, string Signature, string Body)
    {
        public JsonNode Json => JsonNode.Parse(Body)!;
    }

    public ConcurrentQueue<Request> Heard { get; } = new();

    public int Answer { get; set; } = StatusCodes.Status204NoContent;

    public Uri Url =>
        new(_application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single() + "/hook");

    public static async Task<Receiver> StartAsync()
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        WebApplication application = builder.Build();
        var receiver = new Receiver(application);
        application.MapPost("/hook", async (HttpContext context) =>
        {
            using var reader = new StreamReader(context.Request.Body);
            IHeaderDictionary headers = context.Request.Headers;
            receiver.Heard.Enqueue(new Request(headers["webhook-id"].ToString(),
                long.Parse(headers["webhook-timestamp"].ToString(), System.Globalization.CultureInfo.InvariantCulture),
                headers["webhook-signature"].ToString(), await reader.ReadToEndAsync(context.RequestAborted)));
            return Results.StatusCode(receiver.Answer);
        });
        await application.StartAsync();
        return receiver;
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();
}
