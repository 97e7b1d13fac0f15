using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Server.Features.Boot.Doctor;
using Bootstrap.Server.Features.Events;
using Bootstrap.Server.Features.Jobs.Engine;
using Bootstrap.Server.Features.Nodes;
using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Features.Link;

/// <summary>Holds the connections of the nodes: <c>wss://…/link</c>, each named by its client certificate.</summary>
internal sealed partial class LinkEndpoint(
    Database database, CertificateAuthority authority, NodeKeys keys, UnapprovedBoards unapproved, StrangerNotices notices,
    NodeDirectory nodes, JobEngine engine, NodeLog log, NodeHistory history,
    NodeLocator locator, BootRecorder boots, NoiseCounter noise, DataDisk disk, ApplianceOptions options,
    IEnumerable<ILinkFeature> features, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<LinkEndpoint> logger)
{
    /// <summary>Bytes of a first message: mostly inventory, as at enrolment.</summary>
    private const int MaximumHelloBytes = 40 << 10;

    private static readonly TimeSpan s_introductionLimit = TimeSpan.FromSeconds(15);

    /// <summary>How long a board waits on its connection for a person's decision before it comes anew, and how soon it hears of
    /// it.</summary>
    private static readonly TimeSpan s_hold = TimeSpan.FromSeconds(15), s_holdLook = TimeSpan.FromSeconds(1);

    public static void Map(IEndpointRouteBuilder link)
    {
        link.MapGet(LinkMessage.Path, (LinkEndpoint endpoint, HttpContext context) => endpoint.AcceptAsync(context));
        link.MapGet(RevokedKeys.PublicPath, (NodeKeys keys) => Results.Text(string.Concat(keys.Revoked.Keys.Select(key => $"{key}\n"))));
    }

    private async Task AcceptAsync(HttpContext context)
    {
        NodeId node = default;
        NodeKeys.Standing standing = NodeKeys.Standing.Unknown;
        X509Certificate2? certificate = await context.Connection.GetClientCertificateAsync();
        if (certificate is null || (standing = keys.Find(certificate, out node)) != NodeKeys.Standing.Good)
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
            await context.Response.WriteAsync(certificate is null
                ? "This is for nodes: enrol first.\n"
                : List(standing, node, certificate, Sources.Plain(context.Connection.RemoteIpAddress)));
            return;
        }
        NodeGuard.Admit(context, node, certificate);
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }
        using WebSocket socket = await context.WebSockets.AcceptWebSocketAsync(new WebSocketAcceptContext
        {
            KeepAliveInterval = LinkMessage.HeartbeatPeriod,
            KeepAliveTimeout = 2 * LinkMessage.HeartbeatPeriod,
        });
        var session = new LinkSession(node, certificate.PublicKey, CertifiedName(certificate, node),
            Sources.Plain(context.Connection.RemoteIpAddress), Sources.Plain(context.Connection.LocalIpAddress), socket)
        {
            Sending = message => boots.Told(node, message),
        };
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        Task sending = session.SendQueuedAsync(stop.Token);
        try
        {
            await ListenAsync(session, stop.Token);
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, stop.Token);
        }
        catch (JsonException e)
        {
            noise.Count("link");
            LogNonsense(node, e.Message);
            session.Cut();
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException or SqliteException)
        {
            LogLost(node, e.Message);
        }
        finally
        {
            await stop.CancelAsync();
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (nodes.Disconnect(session))
            {
                boots.Left(node, session.Goodbye);
                try
                {
                    Seen(session);
                    await engine.GoneAsync(session);
                    nodes.Publish(node);
                }
                catch (Exception e) when (disk.Note(e))
                {
                    // Its task goes by the time that it has: as that of a node that was away when the appliance started.
                }
            }
        }
    }

    private async Task ListenAsync(LinkSession session, CancellationToken cancellation)
    {
        using (var introduction = CancellationTokenSource.CreateLinkedTokenSource(cancellation))
        {
            introduction.CancelAfter(s_introductionLimit);
            if (await session.ReceiveAsync(introduction.Token, MaximumHelloBytes) is not Hello hello)
            {
                throw new JsonException("the first message is not a hello");
            }
            if (hello.Inventory.Id != session.Node)
            {
                await HoldAsync(session, hello.Inventory.Bounded(), cancellation);
                return;
            }
            await IntroduceAsync(session, hello with
            {
                Inventory = hello.Inventory.Bounded(),
                Version = InventoryLimits.Text(hello.Version),
                BootId = InventoryLimits.Text(hello.BootId),
                Doubt = InventoryLimits.Text(hello.Doubt),
            });
        }
        while (await session.ReceiveAsync(cancellation) is { } message)
        {
            switch (message)
            {
                case Heartbeat heartbeat:
                    session.Health = heartbeat.Health;
                    nodes.PublishHealth(session);
                    break;
                case Goodbye goodbye:
                    session.Goodbye = goodbye.Reason;
                    break;
                case RenewCertificate renewal:
                    Renew(session, renewal);
                    break;
                case InventoryReport report when report.Inventory.Id == session.Node:
                    Report(session, report.Inventory.Bounded());
                    break;
                case LocateAnswer answer:
                    locator.Heard(session.Node, answer);
                    break;
                case LogLines lines:
                    log.Add(session.Node, lines);
                    break;
                case { IsUnknown: true }:
                    if (!session.SaidUnknown)
                    {
                        session.SaidUnknown = true;
                        LogUnknown(session.Node);
                    }
                    break;
                case var other when features.Any(feature => feature.Heard(session, other)):
                    break;
                default:
                    await engine.HeardAsync(session, message);
                    break;
            }
        }
    }

    /// <summary>
    /// The key is a node's whose certificate ended too long ago, or was one's: a forgotten node's, or one that a power cut or a restored
    /// backup made this appliance
    /// forget. A person looks at it again; of the board nothing is known but its key, and who it says it is.
    /// </summary>
    /// <returns>A sentence for the node.</returns>
    private string List(NodeKeys.Standing standing, NodeId node, X509Certificate2 certificate, IPAddress address)
    {
        string reason = standing == NodeKeys.Standing.Expired
            ? string.Create(CultureInfo.InvariantCulture,
                $"its certificate ended on {certificate.NotAfter.ToUniversalTime():yyyy-MM-dd}, and the " +
                    $"{Protocol.Trust.NodeGrace.TotalDays} days in which it renews it are over")
            : "its key is not, or no longer, a node's";
        if (standing == NodeKeys.Standing.Expired
            || (authority.Issued(certificate) && NodeId.TryParse(certificate.GetNameInfo(X509NameType.SimpleName, false), out node)))
        {
            Ask(certificate.PublicKey, InventoryLimits.Unsaid(node), address, reason);
        }
        return $"This certificate does not connect: {reason}. Approve the board on the appliance's page, or install it anew.\n";
    }

    private void Ask(PublicKey key, Inventory inventory, IPAddress address, string reason)
    {
        if (unapproved.Add(key, inventory, address.ToString(), reason, out bool isNews) is { } board && isNews)
        {
            notices.Note(board, claims: true);
        }
    }

    /// <summary>What the node is called by its certificate; null where that is of another node, whose board this key was in
    /// before.</summary>
    private static string? CertifiedName(X509Certificate2 certificate, NodeId node) =>
        certificate.GetNameInfo(X509NameType.SimpleName, forIssuer: false) == node.ToString() ? Protocol.Trust.NodeNameOf(certificate)
            : null;

    /// <summary>
    /// The key is a node's, and the board is another one: its card was put into another board, or copied. Nobody but a person knows which.
    /// The board waits
    /// on its connection, and comes anew when it is decided.
    /// </summary>
    private async Task HoldAsync(LinkSession session, Inventory inventory, CancellationToken cancellation)
    {
        Ask(session.PublicKey, inventory, session.Address, $"its card is that of node {session.Node}, and it is another board");
        LogOtherBoard(session.Node, inventory.Id, session.Address);
        long since = clock.GetTimestamp();
        while (clock.GetElapsedTime(since) < s_hold && keys.Find(session.Key) == session.Node)
        {
            await Task.Delay(s_holdLook, clock, cancellation);
        }
    }

    /// <summary>
    /// A certificate for the next key of the node of this very connection, whatever the request says. The key that it has stays good beside
    /// it until
    /// the node comes with the next one. Who was replaced or forgotten in the meantime gets none.
    /// </summary>
    private void Renew(LinkSession session, RenewCertificate renewal)
    {
        PublicKey next = CertificateAuthority.KeyOf(renewal.Request) ??
            throw new JsonException("the certificate request is not a sound PKCS #10 request for an ECDSA P-256 key");
        if (nodes.Find(session.Node) is not { } node || !keys.Renew(session.Node, session.Key, Protocol.Trust.FingerprintOf(next)))
        {
            session.Cut();
            return;
        }
        using X509Certificate2 certificate = authority.IssueNode(session.Node, node.Name, next);
        LogRenewed(session.Node, certificate.NotAfter.ToUniversalTime());
        session.Send(new NodeCertificate(certificate.RawData));
    }

    private async Task IntroduceAsync(LinkSession session, Hello hello)
    {
        session.Hello = hello;
        session.Health = hello.Health;
        string key = session.Key.ToString();
        bool? retires = database.Write(c =>
        {
            // Long after it has connected, perhaps: forgotten, or replaced by another key.
            if (NodeRow.Find(c, session.Node) is not { } known || (known.Key != key && known.PreviousKey != key))
            {
                return default(bool?);
            }
            NodeRow.SetInventory(c, session.Node, WithKnownSwitches(hello.Inventory, known.Inventory));
            NodeRow.SetProgram(c, session.Node, hello.BootId, hello.Version);
            history.Introduced(c, hello.Inventory, session.State, hello.Version, session.Address.ToString());
            return keys.Seen(c, known, session.Key);
        });
        if (retires is null)
        {
            session.Cut();
            return;
        }
        if (retires is true)
        {
            keys.Refresh(isUrgent: false);
        }
        Seen(session);
        // Whoever finds its connection may send it an order: it is welcomed before, and knows where the files for it are.
        string name = nodes.Find(session.Node)?.Name ?? session.Node.ToString();
        session.Send(new Welcome(name, options.Http.Port, clock.GetUtcNow().ToUnixTimeSeconds()));
        // Who sees that the node is connected finds its boot told to the end.
        boots.Introduced(hello);
        nodes.Connect(session);
        // Who replaces a key cuts those that are connected: this one was not yet, when it happened in between.
        if (keys.Find(session.Key) != session.Node)
        {
            session.Cut();
            return;
        }
        LogConnected(session.Node, session.State, session.Address);
        session.Certify(authority, name);
        if (hello.Role == NodeRole.Slave)
        {
            // Also an empty list: it may have heard of a longer one.
            session.Send(keys.Revoked);
            foreach (ILinkFeature feature in features)
            {
                feature.Introduced(session);
            }
        }
        await engine.ConnectedAsync(session, hello);
        nodes.Publish(session.Node);
    }

    private void Report(LinkSession session, Inventory inventory)
    {
        database.Write(c =>
        {
            if (NodeRow.SetInventory(c, session.Node, inventory))
            {
                history.Reported(c, inventory, session.State, session.Hello!.Version);
            }
        });
        nodes.Publish(session.Node);
    }

    /// <summary>A program that has just started has not heard of its switches yet: what was known of them holds until it says
    /// otherwise.</summary>
    private static Inventory WithKnownSwitches(Inventory inventory, Inventory known) => inventory with
    {
        Interfaces = [.. inventory.Interfaces.Select(i => i.Switch is not null ? i
            : i with { Switch = known.Interfaces.FirstOrDefault(k => k.Mac == i.Mac)?.Switch })],
    };

    private void Seen(LinkSession session) => database.Write(c =>
        NodeRow.SetSeen(c, session.Node, clock.GetUtcNow().ToUnixTimeMilliseconds(), session.Address.ToString()));

    [LoggerMessage(LogLevel.Information, "{Node} connected as {State} from {Address}")]
    private partial void LogConnected(NodeId node, LinkState state, IPAddress address);

    [LoggerMessage(LogLevel.Warning, "the card of {Node} is in another board, {Board} at {Address}: it waits for approval")]
    private partial void LogOtherBoard(NodeId node, NodeId board, IPAddress address);

    [LoggerMessage(LogLevel.Information, "{Node} has a new certificate, good until {End:u}")]
    private partial void LogRenewed(NodeId node, DateTime end);

    [LoggerMessage(LogLevel.Information, "{Node} is gone: {Reason}")]
    private partial void LogLost(NodeId node, string reason);

    [LoggerMessage(LogLevel.Information, "{Node} runs a newer program: what it says that is not known here is passed over")]
    private partial void LogUnknown(NodeId node);

    [LoggerMessage(LogLevel.Warning, "{Node} sent something that is no message and was cut off: {Reason}")]
    private partial void LogNonsense(NodeId node, string reason);
}
