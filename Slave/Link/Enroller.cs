using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Link;

/// <summary>Gets this node its certificate; asks again for as long as it takes.</summary>
/// <param name="tls">Who is believed.</param>
/// <param name="locator">Where to look.</param>
/// <param name="log">The node's log.</param>
/// <param name="clock">Times the attempts.</param>
public sealed class Enroller(ApplianceTls tls, ApplianceLocator locator, Action<string> log, TimeProvider clock)
{
    private static readonly TimeSpan s_attemptTimeout = TimeSpan.FromSeconds(15);
    private const int LongestRetrySeconds = 300;
    private const int MaximumAnswerBytes = 64 << 10;

    /// <summary>Of a key's fingerprint, what the console shows: people compare it with the appliance's page.</summary>
    private const int ShownDigits = 16;

    private readonly RefusalLog _refusals = new(log);

    /// <summary>Asks to be admitted, until it is.</summary>
    /// <param name="joinToken">The token that came with the CA.</param>
    /// <param name="inventory">Read anew for every request: disks and interfaces may turn up late.</param>
    /// <param name="before">An identity that the appliance does not take any more: people may know the board by its key. Null: with a new
    /// key.</param>
    public async Task<NodeIdentity> EnrolAsync(
        string joinToken, Func<Inventory> inventory, NodeIdentity? before, CancellationToken cancellation)
    {
        ECDsa key = before?.CopyKey() ?? NodeIdentity.CreateKey();
        log($"this board's key is {Trust.FingerprintOf(new PublicKey(key)).ToString()[..ShownDigits]}");
        int failures = 0;
        while (true)
        {
            Inventory board = inventory();
            var request = new EnrolRequest(joinToken, NodeIdentity.CreateSigningRequest(key, board.Id), board);
            EnrolResponse? answer = await AskAsync(request, cancellation).ConfigureAwait(false);
            if (answer?.Certificate is { Length: > 0 } certificate && Accept(certificate, board, key) is { } identity)
            {
                return identity;
            }
            failures = answer is null ? failures + 1 : 0;
            TimeSpan delay = BackOff.Delay(failures, Random.Shared.NextDouble());
            if (answer is { RetryAfterSeconds: > 0 })
            {
                delay = TimeSpan.FromSeconds(Math.Min(answer.RetryAfterSeconds, LongestRetrySeconds));
                log($"not enrolled yet: {answer.Reason}");
            }
            else
            {
                log($"no appliance of ours enrolled this board; trying again in {delay.TotalSeconds:0.0} s");
            }
            await Task.Delay(delay, clock, cancellation).ConfigureAwait(false);
        }
    }

    private NodeIdentity? Accept(byte[] certificate, Inventory board, ECDsa key)
    {
        try
        {
            NodeIdentity identity = NodeIdentity.Create(certificate, key);
            if (Trust.IsIssuedBy(identity.Certificate, tls.Authority) && identity.Name == board.Id.ToString())
            {
                return identity;
            }
            log($"the certificate that came names '{identity.Name}', or is not from our CA: refused");
        }
        catch (Exception e) when (e is CryptographicException or ArgumentException)
        {
            log($"the certificate that came cannot be used: {e.Message}");
        }
        return null;
    }

    private async Task<EnrolResponse?> AskAsync(EnrolRequest request, CancellationToken cancellation)
    {
        await foreach (ApplianceEndpoint endpoint in locator.FindAsync(cancellation).ConfigureAwait(false))
        {
            using var timeout = new CancellationTokenSource(s_attemptTimeout, clock);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(timeout.Token, cancellation);
            try
            {
                if (await PostAsync(endpoint, request, either.Token).ConfigureAwait(false) is { } answer)
                {
                    locator.Remember(endpoint);
                    return answer;
                }
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                log($"{endpoint} does not answer within {s_attemptTimeout.TotalSeconds:0} s");
            }
            catch (Exception e) when (e is HttpRequestException or IOException or JsonException)
            {
                if (!_refusals.Contains(endpoint))
                {
                    log($"cannot enrol at {endpoint}: {(e.InnerException ?? e).Message}");
                }
            }
        }
        return null;
    }

    private async Task<EnrolResponse?> PostAsync(ApplianceEndpoint endpoint, EnrolRequest request, CancellationToken cancellation)
    {
        using var http = new HttpClient(tls.CreateHandler(identity: null, reason => _refusals.Add(endpoint, reason)))
        {
            MaxResponseContentBufferSize = MaximumAnswerBytes,
        };
        using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(request, ProtocolJson.Default.EnrolRequest));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using HttpResponseMessage response = await http.PostAsync(endpoint.Url("https", EnrolRequest.Path), content, cancellation)
            .ConfigureAwait(false);
        byte[] body = await response.Content.ReadAsByteArrayAsync(cancellation).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            string words = System.Text.Encoding.UTF8.GetString(body, 0, Math.Min(body.Length, 200)).ReplaceLineEndings(" ");
            log($"{endpoint} refuses to enrol this board: {(int)response.StatusCode} {words}");
            return null;
        }
        return JsonSerializer.Deserialize(body, ProtocolJson.Default.EnrolResponse);
    }
}
