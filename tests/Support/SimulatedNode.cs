using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text.Json;
using System.Threading.Channels;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Support;

/// <summary>
/// A board without a board: it enrols as NetInst does and speaks the real link over mutual TLS. It does nothing by itself; the test
/// says what it sends and waits for what it is sent.
/// </summary>
public sealed class SimulatedNode : IAsyncDisposable
{
    private readonly ApplianceInfo _appliance;
    private readonly NodeIdentity _identity;
    private readonly Queue<LinkMessage> _unread = new();
    private ClientWebSocket _socket = new();
    private Channel<LinkMessage> _heard = Channel.CreateUnbounded<LinkMessage>();
    private Task _hearing = Task.CompletedTask;
    private HttpMessageInvoker? _invoker;

    private SimulatedNode(ApplianceInfo appliance, NodeIdentity identity, Inventory inventory)
    {
        _appliance = appliance;
        _identity = identity;
        Inventory = inventory;
    }

    /// <summary>What it says that it is; another one is said at the next <see cref="RestartAsync"/>.</summary>
    public Inventory Inventory { get; set; }

    public NodeId Id => Inventory.Id;

    /// <summary>Its key and certificate; they stay its own.</summary>
    public NodeIdentity Identity => _identity;

    /// <summary>The kernel's boot id; a new one with each <see cref="RestartAsync"/>.</summary>
    public string BootId { get; private set; } = Guid.NewGuid().ToString();

    /// <summary>Enrols a board and connects it.</summary>
    public static Task<SimulatedNode> ConnectAsync(
        ApplianceInfo appliance, NodeId id, NodeRole role, string architecture, CancellationToken cancellation = default) =>
        ConnectAsync(appliance, InventoryOf(id, architecture), role, cancellation);

    /// <summary>Enrols a board that is as the inventory says, and connects it.</summary>
    public static async Task<SimulatedNode> ConnectAsync(
        ApplianceInfo appliance, Inventory inventory, NodeRole role, CancellationToken cancellation = default)
    {
        ECDsa key = NodeIdentity.CreateKey();
        EnrolResponse answer = await EnrolAsync(appliance, key, inventory, cancellation);
        return await ConnectAsync(appliance, NodeIdentity.Create(
            answer.Certificate ?? throw new InvalidOperationException($"not enrolled: {answer.Reason}"), key), inventory, role,
                cancellation);
    }

    /// <summary>Connects a board that has its identity already; it belongs to the node from now on.</summary>
    public static async Task<SimulatedNode> ConnectAsync(
        ApplianceInfo appliance, NodeIdentity identity, Inventory inventory, NodeRole role, CancellationToken cancellation = default)
    {
        var node = new SimulatedNode(appliance, identity, inventory);
        await node.OpenAsync(role, null, [], cancellation);
        return node;
    }

    /// <summary>Asks for a certificate, as a board does that has none.</summary>
    public static async Task<EnrolResponse> EnrolAsync(ApplianceInfo appliance, ECDsa key, Inventory inventory,
        CancellationToken cancellation)
    {
        using var http = new HttpClient(new ApplianceTls(appliance.Authority).CreateHandler(null, Refuse));
        var request = new EnrolRequest(appliance.JoinToken, NodeIdentity.CreateSigningRequest(key, inventory.Id), inventory);
        using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(request, ProtocolJson.Default.EnrolRequest));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using HttpResponseMessage response = await http.PostAsync($"https://{appliance.Link}{EnrolRequest.Path}", content, cancellation);
        response.EnsureSuccessStatusCode();
        return JsonSerializer.Deserialize(await response.Content.ReadAsByteArrayAsync(cancellation), ProtocolJson.Default.EnrolResponse)!;
    }

    /// <summary>A Raspberry Pi 4 (arm64) or a PC (amd64) with one disk of 32 GB.</summary>
    public static Inventory InventoryOf(NodeId id, string architecture)
    {
        byte[] hash = SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(id.ToString()));
        MacAddress.TryParse("dc:a6:32:" + string.Join(':', hash[..3].Select(b => Convert.ToHexStringLower([b]))), out MacAddress mac);
        bool pi = architecture == "arm64";
        return new Inventory(id, architecture, pi ? "Raspberry Pi 4 Model B Rev 1.4" : "QEMU Standard PC (Q35 + ICH9, 2009)", id.ToString(),
            pi ? "c03114" : "", pi ? "2025-01-14" : "", 3_980_000_000, 4,
            [new NetworkInterfaceInfo("eth0", mac, true, ["127.0.0.1"], pi ? "bcmgenet" : "virtio_net")],
            [new DiskInfo(pi ? "mmcblk0" : "sda", 31_914_983_424, 512, pi ? "sd" : "ata", pi ? "SD32G" : "QEMU HARDDISK",
                "0x" + Convert.ToHexStringLower(hash[..4]), pi, false)],
            "6.1.0-35-arm64", "NetInst");
    }

    /// <summary>Its way to the link's port, by its own certificate.</summary>
    public HttpClient CreateLinkClient() => new(new ApplianceTls(_appliance.Authority)
        .CreateHandler(_identity, Refuse))
    { BaseAddress = new Uri($"https://{_appliance.Link}") };

    /// <summary>Sends one message.</summary>
    public Task SendAsync(LinkMessage message, CancellationToken cancellation = default) =>
        _socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(message, ProtocolJson.Default.LinkMessage), WebSocketMessageType.Text, true,
            cancellation);

    /// <summary>What it says of its system, once it has introduced itself anew.</summary>
    public string Doubt { get; set; } = "";

    /// <summary>Sends what may be no message of this version.</summary>
    public Task SendAsync(string json, CancellationToken cancellation) =>
        _socket.SendAsync(System.Text.Encoding.UTF8.GetBytes(json), WebSocketMessageType.Text, true, cancellation);

    /// <summary>Waits for a message of one kind; those of other kinds stay for later.</summary>
    /// <exception cref="InvalidOperationException">The appliance closed the connection.</exception>
    public async Task<T> ReceiveAsync<T>(CancellationToken cancellation)
        where T : LinkMessage
    {
        for (int i = _unread.Count; i > 0; i--)
        {
            LinkMessage waiting = _unread.Dequeue();
            if (waiting is T found)
            {
                return found;
            }
            _unread.Enqueue(waiting);
        }
        while (true)
        {
            if (!await _heard.Reader.WaitToReadAsync(cancellation))
            {
                throw new InvalidOperationException($"the appliance closed the connection of {Id}");
            }
            LinkMessage message = await _heard.Reader.ReadAsync(cancellation);
            if (message is T found)
            {
                return found;
            }
            _unread.Enqueue(message);
        }
    }

    /// <summary>Waits for an order and says that it was taken.</summary>
    public async Task<StartTask> AcceptTaskAsync(CancellationToken cancellation)
    {
        StartTask start = await ReceiveAsync<StartTask>(cancellation);
        await SendAsync(new TaskAccepted(start.TaskId), cancellation);
        return start;
    }

    /// <summary>Waits until it is asked to blink, and answers.</summary>
    /// <param name="led">The LED that blinks; empty: it cannot.</param>
    public async Task<Locate> AnswerLocateAsync(string led, string reason = "", CancellationToken cancellation = default)
    {
        Locate asked = await ReceiveAsync<Locate>(cancellation);
        await SendAsync(new LocateAnswer(asked.Id, led, reason), cancellation);
        return asked;
    }

    /// <summary>Says how far a task is.</summary>
    public Task ReportAsync(Guid task, string phase, long done, long total, CancellationToken cancellation = default) =>
        SendAsync(new TaskProgress(task, phase, done, total, total > 0 ? "bytes" : ""), cancellation);

    /// <summary>Comes back after a restart, with a new boot id.</summary>
    /// <param name="role">Which program runs now.</param>
    /// <param name="installId">The installation that the system came from.</param>
    /// <param name="activeTasks">What the program still works on.</param>
    /// <param name="onTrial">The system was started once, and is not committed.</param>
    public async Task RestartAsync(
        NodeRole role, Guid? installId = null, IReadOnlyList<Guid>? activeTasks = null, bool onTrial = false,
            CancellationToken cancellation = default)
    {
        await DisconnectAsync(cancellation);
        BootId = Guid.NewGuid().ToString();
        await OpenAsync(role, installId, activeTasks ?? [], cancellation, onTrial);
    }

    /// <summary>Ends the connection. One that the appliance ended before is over already.</summary>
    public async Task DisconnectAsync(CancellationToken cancellation = default)
    {
        if (_socket.State == WebSocketState.Open)
        {
            try
            {
                await _socket.CloseAsync(WebSocketCloseStatus.NormalClosure, null, cancellation);
            }
            catch (WebSocketException e) when (e.WebSocketErrorCode == WebSocketError.ConnectionClosedPrematurely)
            {
                // The appliance was ended, and its connections with it.
            }
            catch (OperationCanceledException e) when (e.InnerException is IOException && !cancellation.IsCancellationRequested)
            {
                // It ended this connection at this moment, as it does with nodes that it forgets.
            }
        }
        _socket.Dispose();
        _invoker?.Dispose();
        await _hearing;
        _unread.Clear();
    }

    public async ValueTask DisposeAsync()
    {
        await DisconnectAsync();
        _identity.Dispose();
    }

    private async Task OpenAsync(NodeRole role, Guid? installId, IReadOnlyList<Guid> activeTasks, CancellationToken cancellation,
        bool onTrial = false)
    {
        _socket = new ClientWebSocket();
        _invoker = new HttpMessageInvoker(new ApplianceTls(_appliance.Authority).CreateHandler(_identity, Refuse));
        await _socket.ConnectAsync(new Uri($"wss://{_appliance.Link}{LinkMessage.Path}"), _invoker, cancellation);
        var health = new Health(12, 0.42, 3_100_000_000, 48.3, 0);
        string system = role == NodeRole.NetInst ? "NetInst" : "Debian GNU/Linux 12 (bookworm)";
        await SendAsync(new Hello(role, "test", BootId, installId, Inventory with { System = system }, health, activeTasks, onTrial, Doubt),
            cancellation);
        _heard = Channel.CreateUnbounded<LinkMessage>();
        _hearing = HearAsync(_socket, _heard.Writer);
        if (await ReceiveAsync<LinkMessage>(cancellation) is not Welcome and var other)
        {
            throw new InvalidOperationException($"the appliance said {other} before it welcomed {Id}");
        }
    }

    /// <summary>Reads all the time, as boards do: the appliance's pings are answered by who reads, and it ends a connection on which none
    /// is.</summary>
    private static async Task HearAsync(ClientWebSocket socket, ChannelWriter<LinkMessage> heard)
    {
        try
        {
            byte[] buffer = new byte[LinkMessage.MaximumBytes];
            int length = 0;
            while (true)
            {
                ValueWebSocketReceiveResult part = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                length += part.Count;
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    return;
                }
                if (part.EndOfMessage)
                {
                    await heard.WriteAsync(JsonSerializer.Deserialize(buffer.AsSpan(0, length), ProtocolJson.Default.LinkMessage)!);
                    length = 0;
                }
            }
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            // The connection is gone.
        }
        finally
        {
            heard.Complete();
        }
    }

    private static void Refuse(string reason) => throw new InvalidOperationException(reason);
}
