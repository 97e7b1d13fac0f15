using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Link;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Bench;

/// <summary>
/// A crowd of strangers, each at an address of its own (127.1.x.y), which all ask to be admitted once a second, whatever they are told, and
/// take no pause when they
/// are refused.
/// </summary>
/// <param name="appliance">Its link.</param>
internal sealed class StrangerLoad(IPEndPoint appliance, X509Certificate2 authority, string joinToken)
{
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    private long _asked, _refused, _certificates;

    /// <summary>Prints how often they asked, how often they were refused, and how many certificates they got.</summary>
    public async Task<int> RunAsync(int count, TimeSpan time)
    {
        using var stop = new CancellationTokenSource(time, TimeProvider.System);
        await Task.WhenAll(Enumerable.Range(0, count).Select(number => AskAsync(number, stop.Token)));
        Console.WriteLine($"asked {_asked}\nrefused {_refused}\ncertificates {_certificates}");
        return 0;
    }

    private async Task AskAsync(int number, CancellationToken stop)
    {
        using ECDsa key = NodeIdentity.CreateKey();
        var board = new Inventory(NodeId.Parse($"2{number:x15}"), "arm64", new string('m', 150), "stranger", "", "", 1 << 30, 4, [], [],
            "", "NetInst");
        byte[] body = JsonSerializer.SerializeToUtf8Bytes(new EnrolRequest(joinToken, NodeIdentity.CreateSigningRequest(key, board.Id),
            board), ProtocolJson.Default.EnrolRequest);
        var address = new IPAddress([127, 1, (byte)(number >> 8), (byte)(number & 255)]);
        SocketsHttpHandler handler = new ApplianceTls(authority).CreateHandler(null, _ => { });
        handler.ConnectCallback = async (_, cancellation) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            socket.Bind(new IPEndPoint(address, 0));
            await socket.ConnectAsync(appliance, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        };
        using var http = new HttpClient(handler);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                using var content = new ByteArrayContent(body);
                content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
                using HttpResponseMessage response = await http.PostAsync($"https://{appliance}{EnrolRequest.Path}", content, stop);
                Interlocked.Increment(ref _asked);
                byte[] answer = await response.Content.ReadAsByteArrayAsync(stop);
                if (response.IsSuccessStatusCode && JsonSerializer.Deserialize(answer,
                    ProtocolJson.Default.EnrolResponse) is { Certificate.Length: > 0 })
                {
                    Interlocked.Increment(ref _certificates);
                }
                await Task.Delay(s_pause, TimeProvider.System, stop);
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                Interlocked.Increment(ref _refused);
                await Task.Delay(s_pause, TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                // The time is over.
            }
        }
    }
}
