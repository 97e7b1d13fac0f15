using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Bootstrap.Protocol;

namespace Bootstrap.Cli.Api;

/// <summary>Speaks the appliance's HTTP API.</summary>
internal sealed class ApplianceClient : IDisposable
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    private readonly HttpClient _http;
    private readonly Uri _url;
    private readonly string? _authority;

    /// <summary>Speaks to a known appliance.</summary>
    public ApplianceClient(Connection connection)
        : this(connection.Url, connection.Authority)
    {
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", connection.Token);
    }

    /// <summary>Speaks, as nobody yet, to the appliance that this CA certificate (PEM) is of.</summary>
    private ApplianceClient(Uri url, string authority)
        : this(url, certificate =>
        {
            using X509Certificate2 known = X509Certificate2.CreateFromPem(authority);
            return Trust.IsAppliance(certificate, known, TimeProvider.System.GetUtcNow());
        }) => _authority = authority;

    private ApplianceClient(Uri url, Func<X509Certificate2, bool> believes)
    {
        _url = url;
        var handler = new SocketsHttpHandler
        {
            UseProxy = false,
            AutomaticDecompression = System.Net.DecompressionMethods.All,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate is X509Certificate2 shown && believes(shown),
            },
        };
        _http = new HttpClient(handler) { BaseAddress = new Uri(url, "/api/v1/"), Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>
    /// Asks an appliance for its CA certificate. Nothing proves yet whose answer it is: the user compares the fingerprint, and the
    /// server's own certificate must at least be issued by it.
    /// </summary>
    public static async Task<X509Certificate2> FetchAuthorityAsync(Uri url, CancellationToken cancellation)
    {
        X509Certificate2? server = null;
        using var client = new ApplianceClient(url, certificate =>
        {
            server = X509CertificateLoader.LoadCertificate(certificate.RawData);
            return true;
        });
        string pem = await client.SendAsync(HttpMethod.Get, "ca", null, cancellation, r => r.Content.ReadAsStringAsync(cancellation));
        X509Certificate2 authority = X509Certificate2.CreateFromPem(pem);
        if (server is null || !Trust.IsAppliance(server, authority, TimeProvider.System.GetUtcNow()))
        {
            throw new CliException($"{url} is not a Bootstrap appliance: its certificate is not from the authority that it names");
        }
        return authority;
    }

    /// <summary>Signs a person in by the token of a link, which is sent to the appliance of that CA alone.</summary>
    /// <param name="authority">The appliance's CA certificate, PEM.</param>
    /// <returns>The session's secret.</returns>
    public static async Task<string> SignInAsync(Uri url, string authority, string link, CancellationToken cancellation)
    {
        const string Cookie = "bootstrap-session=";
        using var client = new ApplianceClient(url, authority);
        string cookie = await client.SendAsync(HttpMethod.Post, "session", JsonContent.Create(new { token = link }, options: s_json),
            cancellation,
            response => Task.FromResult(response.Headers.GetValues("Set-Cookie")
                .First(c => c.StartsWith(Cookie, StringComparison.Ordinal))));
        return cookie[Cookie.Length..].Split(';')[0];
    }

    /// <summary>The appliance's CA certificate; the caller disposes it.</summary>
    public X509Certificate2 Authority => X509Certificate2.CreateFromPem(_authority);

    public Task<T> GetAsync<T>(string path, CancellationToken cancellation) => SendAsync<T>(HttpMethod.Get, path, null, cancellation);

    public Task<T> PostAsync<T>(string path, object? body, CancellationToken cancellation) =>
        SendAsync<T>(HttpMethod.Post, path, JsonContent.Create(body ?? new { }, options: s_json), cancellation);

    public Task<T> SendAsync<T>(HttpMethod method, string path, HttpContent? body, CancellationToken cancellation) =>
        SendAsync(method, path, body, cancellation, async response =>
            (await response.Content.ReadFromJsonAsync<T>(s_json, cancellation))!);

    /// <summary>For requests whose answer has nothing in it.</summary>
    public Task SendAsync(HttpMethod method, string path, object? body, CancellationToken cancellation) =>
        SendAsync(method, path, body is null ? null : JsonContent.Create(body, options: s_json), cancellation, _ => Task.FromResult(true));

    /// <summary>A body that is a file as it is.</summary>
    public static HttpContent FileContent(Stream file) =>
        new StreamContent(file, 1 << 20) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };

    /// <summary>Downloads something large.</summary>
    public Task DownloadAsync(string path, Func<Stream, long?, Task> receive, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Get, path, null, cancellation, async response =>
        {
            await using Stream body = await response.Content.ReadAsStreamAsync(cancellation);
            await receive(body, response.Content.Headers.ContentLength);
            return true;
        });

    /// <summary>Asks for something large that is made for this request.</summary>
    /// <param name="wanted">What it is to be.</param>
    public Task<T> FetchAsync<T>(string path, object wanted, Func<Stream, Task<T>> receive, CancellationToken cancellation) =>
        SendAsync(HttpMethod.Post, path, JsonContent.Create(wanted, options: s_json), cancellation, async response =>
        {
            await using Stream body = await response.Content.ReadAsStreamAsync(cancellation);
            return await receive(body);
        });

    public void Dispose() => _http.Dispose();

    private async Task<T> SendAsync<T>(
        HttpMethod method, string path, HttpContent? body, CancellationToken cancellation, Func<HttpResponseMessage, Task<T>> read)
    {
        try
        {
            using var request = new HttpRequestMessage(method, path) { Content = body };
            using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (!response.IsSuccessStatusCode)
            {
                throw new CliException(await ReasonAsync(response, cancellation));
            }
            return await read(response);
        }
        catch (HttpRequestException e) when (e.InnerException is AuthenticationException)
        {
            throw new CliException(
                $"{_url} shows a certificate that is not this appliance's: if it was set up anew, run `bootstrap login` again", e);
        }
        catch (HttpRequestException e)
        {
            throw new CliException(
                $"{_url} cannot be reached ({(e.InnerException ?? e).Message}): see that the appliance runs, and that this machine " +
                    "reaches it", e);
        }
    }

    private static async Task<string> ReasonAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        try
        {
            Problem? problem = await response.Content.ReadFromJsonAsync<Problem>(s_json, cancellation);
            return problem?.Detail ?? problem?.Title ?? $"the appliance answered {(int)response.StatusCode}";
        }
        catch (JsonException)
        {
            return $"the appliance answered {(int)response.StatusCode} {response.ReasonPhrase}";
        }
    }

    private sealed record Problem(string? Title, string? Detail);
}
