using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;

namespace Bootstrap.Rack;

/// <summary>An appliance that runs in a rack, as a process of its own, and its API for those outside.</summary>
public sealed class RackAppliance : IAsyncDisposable
{
    private const int HttpsPort = 8443;

    private readonly RackProcess _process;
    private readonly RackProcess _forwarder;

    private RackAppliance(RackProcess process, RackProcess forwarder, string socket, HttpClient api, string signIn)
    {
        (_process, _forwarder, ApiSocket, Api, SignIn) = (process, forwarder, socket, api, signIn);
    }

    /// <summary>The HTTPS port, as a Unix socket that can be reached from outside the rack.</summary>
    public string ApiSocket { get; }

    /// <summary>Its API, signed in as administrator; paths are relative to <c>/api/v1/</c>.</summary>
    public HttpClient Api { get; }

    /// <summary>The part of the one-time link behind the address: "sign-in#…".</summary>
    public string SignIn { get; }

    /// <summary>What it has logged.</summary>
    public IEnumerable<string> Log => [.. _process.Output.Lines, .. _process.Errors.Lines];

    /// <summary>Its exit code, once it has ended.</summary>
    public Task<int> Exited => _process.Exited;

    /// <summary>Starts an appliance and returns when it is ready.</summary>
    /// <param name="rack">Where.</param>
    /// <param name="program">The program, <c>build/bootstrap</c>.</param>
    /// <param name="folder">Its data goes to <c>data</c> below; a second start goes on with what is there.</param>
    /// <param name="arguments">More arguments of <c>serve</c>, such as <c>--dhcp full</c>.</param>
    /// <exception cref="RackException">It ended instead; the message has its last lines.</exception>
    public static async Task<RackAppliance> StartAsync(
        VirtualRack rack, string program, string folder, IEnumerable<string> arguments, CancellationToken cancel)
    {
        string data = Path.Combine(folder, "data"), token = Path.Combine(folder, "token"), socket = Path.Combine(folder, "api.sock");
        RackProcess process = await rack.StartAsync(
            [program, "serve", "--data", data, "--interface", VirtualRack.Switch, "--initial-token", token, .. arguments]);
        try
        {
            await process.Output.WaitForAsync(line => line.StartsWith("ready ", StringComparison.Ordinal) ? line : null, cancel);
        }
        catch (RackException)
        {
            throw new RackException($"the appliance did not start: {string.Join('\n', process.Errors.Lines)}");
        }
        RackProcess forwarder = await rack.StartAsync([.. Namespaces.Self, "forward", "--socket", socket, "--to",
            $"{VirtualRack.Address}:{HttpsPort}"]);
        await forwarder.Output.WaitForAsync("forwarding", cancel);
        HttpClient api = Connect(socket, Path.Combine(data, "ca", "ca.pem"));
        api.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", (await File.ReadAllTextAsync(token, cancel))
            .Trim());
        string link = await File.ReadAllTextAsync(Path.Combine(data, "sign-in-link"), cancel);
        return new RackAppliance(process, forwarder, socket, api, "sign-in" + new Uri(link.Trim()).Fragment);
    }

    /// <summary>Reads something of the API.</summary>
    /// <exception cref="RackException">It was refused; the message is the appliance's.</exception>
    public Task<JsonNode> GetAsync(string path, CancellationToken cancel) => SendAsync(HttpMethod.Get, path, null, cancel);

    /// <summary>Orders something of the API.</summary>
    /// <exception cref="RackException">It was refused; the message is the appliance's.</exception>
    public async Task<JsonNode> SendAsync(HttpMethod method, string path, HttpContent? content, CancellationToken cancel)
    {
        using var request = new HttpRequestMessage(method, path) { Content = content };
        using HttpResponseMessage response = await Api.SendAsync(request, cancel);
        string text = await response.Content.ReadAsStringAsync(cancel);
        JsonNode answer = (text.Length > 0 ? JsonNode.Parse(text) : null) ?? new JsonObject();
        return response.IsSuccessStatusCode ? answer
            : throw new RackException(answer["detail"]?.ToString() ?? $"{method} {path}: {response.StatusCode}");
    }

    /// <summary>Imports an image file under a name.</summary>
    /// <param name="architecture">Of an image that does not tell it itself.</param>
    public async Task<JsonNode> ImportAsync(string file, string name, CancellationToken cancel, string? architecture = null)
    {
        await using FileStream source = File.OpenRead(file);
        string said = architecture is null ? "" : $"&architecture={architecture}";
        return await SendAsync(HttpMethod.Post, $"images?name={Uri.EscapeDataString(name)}{said}", new StreamContent(source, 1 << 20),
            cancel);
    }

    /// <summary>Sets the policy: new boards are approved without a person, as in a rack that nobody else reaches.</summary>
    public Task<JsonNode> ApproveNewBoardsAsync(CancellationToken cancel) => SendAsync(HttpMethod.Put, "policy",
        JsonContent.Create(new { installNewBoards = new { }, authorizedKeys = Array.Empty<string>(), approveNewBoards = true }), cancel);

    /// <summary>A person approves boards by their keys.</summary>
    /// <param name="boards">As the list of unapproved boards has them.</param>
    public Task<JsonNode> ApproveAsync(IEnumerable<JsonNode> boards, CancellationToken cancel) => SendAsync(HttpMethod.Post,
        "unapproved/approve",
        JsonContent.Create(new
        {
            boards = boards.Select(b => new
            {
                key = b["key"]!.ToString(),
                id = b["id"]!.ToString(),
                replaces = b["claims"]?["key"]?.ToString()
            })
        }), cancel);

    /// <summary>Sets the policy: new boards are approved without a person, and get an image of their architecture at once.</summary>
    public Task<JsonNode> InstallNewBoardsAsync(string architecture, string image, CancellationToken cancel) => SendAsync(HttpMethod.Put,
        "policy",
        JsonContent.Create(new
        {
            installNewBoards = new Dictionary<string, string> { [architecture] = image },
            authorizedKeys = Array.Empty<string>(),
            approveNewBoards = true
        }), cancel);

    /// <summary>Orders a job.</summary>
    public async Task<Guid> OrderAsync(string kind, IEnumerable<string> nodes, string? image, CancellationToken cancel,
        object? parameters = null) =>
        Guid.Parse((await SendAsync(HttpMethod.Post, "jobs", JsonContent.Create(new { kind, nodes, image, parameters }),
            cancel))["job"]!["id"]!.ToString());

    /// <summary>Asks for the end of a job.</summary>
    public Task<JsonNode> CancelAsync(Guid job, CancellationToken cancel) => SendAsync(HttpMethod.Post, $"jobs/{job}/cancel", null, cancel);

    /// <summary>SIGKILL.</summary>
    public async Task KillAsync()
    {
        await _process.KillAsync();
        await _forwarder.KillAsync();
    }

    /// <summary>SIGTERM; returns the exit code.</summary>
    public async Task<int> StopAsync()
    {
        int code = await _process.TerminateAsync();
        await _forwarder.KillAsync();
        return code;
    }

    public async ValueTask DisposeAsync()
    {
        Api.Dispose();
        await _process.DisposeAsync();
        await _forwarder.DisposeAsync();
    }

    private static HttpClient Connect(string socket, string authorityFile)
    {
        var authority = X509Certificate2.CreateFromPem(File.ReadAllText(authorityFile));
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            ConnectCallback = async (_, cancel) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancel);
                return new NetworkStream(connection, ownsSocket: true);
            },
        };
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, chain, _) =>
        {
            chain!.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            chain.ChainPolicy.CustomTrustStore.Add(authority);
            chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
            return chain.Build((X509Certificate2)certificate!);
        };
        return new HttpClient(handler)
        {
            BaseAddress = new Uri($"https://appliance:{HttpsPort}/api/v1/"),
            Timeout = TimeSpan.FromMinutes(10)
        };
    }
}
