using System.CommandLine;
using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Cli.Api;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Discovery;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Cli.Fleet;

/// <summary>
/// Who vouches for nodes that answer discovery: the appliance, by its CA and by the keys that it has revoked since. Anybody may answer,
/// under any name.
/// </summary>
internal static class Vouching
{
    private const int MaximumAnswerBytes = RevokedKeys.Maximum * 2 * 65;

    private static readonly TimeSpan s_connectTimeout = TimeSpan.FromSeconds(2), s_answerTimeout = TimeSpan.FromSeconds(5),
        s_searchTimeout = TimeSpan.FromSeconds(2);

    /// <summary>Given in place of the CA that login has kept.</summary>
    public static readonly Option<FileInfo?> AuthorityFile = new("--ca")
    {
        Description = "Certificate of the appliance's CA, PEM: nodes that it does not vouch for are left out. Default: that of the " +
            "appliance of `bootstrap login`.",
        HelpName = "FILE",
    };

    /// <summary>By what answers of nodes are proven; null: no CA is known here.</summary>
    /// <param name="parsed">Of a command with <see cref="AuthorityFile"/>.</param>
    /// <param name="cancellation">Ends the search for the appliance.</param>
    /// <exception cref="CliException">The CA cannot be read.</exception>
    public static async Task<MessageVerifier?> FindAsync(ParseResult parsed, CancellationToken cancellation)
    {
        FileInfo? file = parsed.GetValue(AuthorityFile);
        Connection? connection = file is null ? Connection.Find(Connection.DefaultPath) : null;
        if ((file is null ? connection?.Authority : Read(file)) is not { } pem)
        {
            return null;
        }
        X509Certificate2 authority = Parse(pem, file?.FullName ?? Connection.DefaultPath);
        HashSet<Digest>? revoked = await FetchRevokedAsync(parsed, authority, connection?.Url, cancellation);
        if (revoked is null)
        {
            await Console.Error.WriteLineAsync(
                "bootstrap: the appliance does not answer: nodes that it has forgotten since cannot be told from others");
        }
        return new MessageVerifier(certificate => Trust.IsIssuedBy(certificate, authority),
            signer => revoked?.Contains(signer.Key) != true && revoked?.Contains(signer.Number) != true
                && TimeProvider.System.GetUtcNow() - signer.Ends < Trust.NodeGrace);
    }

    /// <summary>Asks the appliance, which TLS proves; null: none answers.</summary>
    private static async Task<HashSet<Digest>?> FetchRevokedAsync(ParseResult parsed, X509Certificate2 authority, Uri? known,
        CancellationToken cancellation)
    {
        if (known is not null && await FetchRevokedAsync(known.Host, ServicePorts.Link, authority, cancellation) is { } told)
        {
            return told;
        }
        var search = new Search
        {
            Meshes = parsed.GetRequiredValue(SearchOptions.Mesh),
            Filter = new NodeFilter(Service.Backend),
            Expected = 1,
            Timeout = s_searchTimeout
        };
        var verifier = new MessageVerifier(certificate => Trust.IsIssuedBy(certificate, authority),
            signer => signer.Id.StartsWith(Trust.ApplianceIdPrefix, StringComparison.Ordinal));
        await foreach (Found found in SearchOptions.CreateMarco(parsed, verifier).FindAsync(search, cancellation))
        {
            if (found.IsProven && LinkPortOf(found.Node) is { } port &&
                await FetchRevokedAsync(found.Address.ToString(), port, authority, cancellation) is { } answer)
            {
                return answer;
            }
        }
        return null;
    }

    private static int? LinkPortOf(NodeDescription appliance) =>
        appliance.Services.FirstOrDefault(s => s.Id == Service.Backend)?.Parameters.GetValueOrDefault("link") is not { } text
            ? ServicePorts.Link
        : ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out ushort port) && port > 0 ? port : null;

    private static async Task<HashSet<Digest>?> FetchRevokedAsync(string host, int port, X509Certificate2 authority,
        CancellationToken cancellation)
    {
        using var http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            AllowAutoRedirect = false,
            ConnectTimeout = s_connectTimeout,
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, certificate, _, _) =>
                    certificate is X509Certificate2 shown && Trust.IsAppliance(shown, authority, TimeProvider.System.GetUtcNow()),
            },
        })
        {
            Timeout = s_answerTimeout,
            MaxResponseContentBufferSize = MaximumAnswerBytes,
        };
        try
        {
            string text = await http.GetStringAsync(new UriBuilder(Uri.UriSchemeHttps, host, port, RevokedKeys.PublicPath).Uri,
                cancellation);
            return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Digest.Parse)];
        }
        catch (Exception e) when (e is HttpRequestException or FormatException
            || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return null;
        }
    }

    private static string Read(FileInfo file)
    {
        try
        {
            return File.ReadAllText(file.FullName);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"--ca {file}: {e.Message}", e) { ExitCode = 2 };
        }
    }

    private static X509Certificate2 Parse(string pem, string from)
    {
        try
        {
            return X509Certificate2.CreateFromPem(pem);
        }
        catch (CryptographicException e)
        {
            throw new CliException($"{from} has no CA certificate in it: {e.Message}", e) { ExitCode = 2 };
        }
    }
}
