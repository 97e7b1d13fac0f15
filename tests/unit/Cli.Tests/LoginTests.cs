using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Cli.Api;
using Bootstrap.Protocol;
using Bootstrap.Support;

namespace Bootstrap.Cli.Tests;

/// <summary>Nothing secret leaves this machine before it is certain who gets it.</summary>
public sealed class LoginTests : IDisposable
{
    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private readonly string _folder = Directory.CreateTempSubdirectory("test-login-").FullName;

    private string ConnectionFile => Path.Combine(_folder, "connection.json");

    [Fact]
    public async Task Away_from_a_terminal_and_without_a_fingerprint_nothing_is_sent()
    {
        await using var impostor = new Impostor(Impostor.ServerName);
        (int code, string output, string errors) = await RunAsync("login", impostor.Url, "--token-file", await TokenFileAsync());
        Assert.Equal((1, ""), (code, output));
        Assert.Equal("bootstrap: who answers there must be certain before anything is sent: give --fingerprint, which `bootstrap serve` " +
            "prints when it starts, or believe whoever answers with --yes", errors);
        Assert.Equal("", impostor.Heard);
        Assert.False(File.Exists(ConnectionFile));
    }

    [Fact]
    public async Task Whoever_says_so_believes_who_answers_and_is_shown_whom()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        string file = Path.Combine(_folder, "link");
        await File.WriteAllTextAsync(file, appliance.SignInLink().ToString(), s_end);
        string[] login = ["login", appliance.Url.ToString(), "--link-file", file, "--yes"];
        (int code, _, string errors) = await RunAsync([.. login, "--fingerprint", Fingerprint.Of(appliance.Info.Authority)]);
        Assert.Equal(2, code);
        Assert.Contains("Give either --fingerprint or --yes.", errors, StringComparison.Ordinal);
        (code, _, errors) = await RunAsync(login);
        Assert.True(code == 0, errors);
        Assert.Contains(Fingerprint.Of(appliance.Info.Authority), errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_impostor_gets_no_token_from_whoever_knows_the_fingerprint()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        await using var impostor = new Impostor(Impostor.ServerName);
        (int code, _, string errors) = await RunAsync("login", impostor.Url, "--token-file", await TokenFileAsync(), "--fingerprint",
            Fingerprint.Of(appliance.Info.Authority));
        Assert.Equal(1, code);
        Assert.Contains("this is another appliance; nothing was sent", errors, StringComparison.Ordinal);
        Assert.Contains("GET /api/v1/ca ", impostor.Heard, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-token", impostor.Heard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task At_a_terminal_the_fingerprint_is_shown_and_asked_for_and_no_means_that_nothing_is_sent()
    {
        await using var impostor = new Impostor(Impostor.ServerName);
        (int code, string output) = await AtTerminalAsync("no", "login", impostor.Url, "--token-file", await TokenFileAsync());
        Assert.Equal(1, code);
        Assert.Contains(Fingerprint.Of(impostor.Authority), output, StringComparison.Ordinal);
        Assert.Contains("nothing was sent", output, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-token", impostor.Heard, StringComparison.Ordinal);
    }

    [Fact]
    public async Task At_a_terminal_yes_signs_in_and_the_certificate_is_pinned_from_then_on()
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        string file = Path.Combine(_folder, "link");
        await File.WriteAllTextAsync(file, appliance.SignInLink() + "\n", s_end);
        (int code, string output) = await AtTerminalAsync("yes", "login", appliance.Url.ToString(), "--link-file", file);
        Assert.True(code == 0, output);
        // It is a person who is signed in, who may let others in.
        Assert.Equal(0, (await RunAsync("users", "add", "ada", "--role", "viewer")).Code);

        await using var impostor = new Impostor(Impostor.ServerName);
        Connection known = Connection.Load(ConnectionFile);
        (known with { Url = new Uri(impostor.Url) }).Save(ConnectionFile);
        Assert.Equal(1, (await RunAsync("nodes", "list")).Code);
        Assert.Equal("", impostor.Heard);
    }

    [Theory]
    [InlineData("whole", 0)]
    [InlineData("upper case with a colon after each byte", 0)]
    [InlineData("the first half", 2)]
    [InlineData("one digit too few", 2)]
    [InlineData("another", 1)]
    public async Task A_fingerprint_counts_as_a_whole_whatever_its_colons_and_case(string form, int code)
    {
        await using TestAppliance appliance = await TestAppliance.StartAsync();
        string digits = Convert.ToHexStringLower(SHA256.HashData(appliance.Info.Authority.RawData));
        string file = Path.Combine(_folder, "link");
        await File.WriteAllTextAsync(file, appliance.SignInLink().ToString(), s_end);
        string fingerprint = form switch
        {
            "whole" => digits,
            "upper case with a colon after each byte" => string.Join(':', digits.ToUpperInvariant().Chunk(2).Select(b => new string(b))),
            "the first half" => digits[..32],
            "one digit too few" => digits[..^1],
            _ => digits[..^1] + (digits[^1] == '0' ? '1' : '0'),
        };
        Assert.Equal(code, (await RunAsync("login", appliance.Url.ToString(), "--link-file", file, "--fingerprint", fingerprint)).Code);
        Assert.Equal(code == 0, File.Exists(ConnectionFile));
    }

    /// <summary>A node has a certificate of the same CA: it is not the appliance.</summary>
    [Fact]
    public async Task A_node_that_passes_itself_off_as_the_appliance_gets_no_token()
    {
        await using var node = new Impostor("10000000cccc0001");
        new Connection(new Uri(node.Url), "secret-token", node.Authority.ExportCertificatePem()).Save(ConnectionFile);
        (int code, _, string errors) = await RunAsync("nodes", "list");
        Assert.Equal(1, code);
        Assert.Contains("shows a certificate that is not this appliance's", errors, StringComparison.Ordinal);
        Assert.Equal("", node.Heard);
    }

    [Fact]
    public async Task An_appliance_that_is_started_without_a_terminal_prints_its_fingerprint_and_no_link()
    {
        // In a network of its own; it ends by itself a moment after it was ready.
        (int code, string output, string errors) = await CommandLine.RunToolAsync(
        [
            "unshare", "--map-root-user", "--net", "sh", "-ec", """
                ip link set lo up
                "$1" serve --data "$0/data" --interface lo --dhcp off --tftp off >"$0/out" 2>&1 & pid=$!
                until grep -qs ^ready "$0/out"; do kill -0 $pid || break; sleep 0.1; done
                export BOOTSTRAP_CONNECTION="$0/connection.json"
                "$1" login https://127.0.0.1:8443 --link-file "$0/data/sign-in-link" \
                  --fingerprint "$(sed -n 's/^CA fingerprint (SHA-256): //p' "$0/out")" >&2
                "$1" users list >&2
                kill $pid; wait $pid; cat "$0/out"
                """, _folder, CommandLine.Program,
        ]);
        Assert.True(code == 0, output + errors);
        string file = Path.Combine(_folder, "data", "sign-in-link");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        string link = (await File.ReadAllTextAsync(file, s_end)).Trim();
        Assert.Matches(@"\Ahttps://[^/]+:8443/sign-in#[0-9a-f]{64}\z", link);
        Assert.DoesNotContain(link[^64..], output, StringComparison.Ordinal);
        Assert.DoesNotContain("sign-in#", output, StringComparison.Ordinal);
        Assert.Contains($"in {file}", output, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private async Task<string> TokenFileAsync()
    {
        string file = Path.Combine(_folder, "token");
        await File.WriteAllTextAsync(file, "secret-token\n", s_end);
        return file;
    }

    private Task<(int Code, string Output, string Errors)> RunAsync(params string[] arguments) =>
        CommandLine.RunToolAsync(["env", $"BOOTSTRAP_CONNECTION={ConnectionFile}", CommandLine.Program, .. arguments]);

    /// <summary>Runs a command in a pseudo-terminal, and types a line as soon as it asks.</summary>
    private async Task<(int Code, string Output)> AtTerminalAsync(string answer, params string[] arguments)
    {
        string command = string.Join(' ', arguments.Prepend(CommandLine.Program).Select(word => $"'{word}'"));
        (int code, string output, string errors) = await CommandLine.RunToolAsync(
            ["env", $"BOOTSTRAP_CONNECTION={ConnectionFile}", "script", "--quiet", "--return", "--command", command, "/dev/null"],
                answer + "\n");
        return (code, output + errors);
    }

    /// <summary>Speaks TLS by a certificate of a CA of its own, hands that CA out as an appliance does, and remembers all that it
    /// hears.</summary>
    private sealed class Impostor : IAsyncDisposable
    {
        public const string ServerName = "the appliance";

        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _stop = new();
        private readonly Lock _lock = new();
        private readonly X509Certificate2 _certificate;
        private readonly Task _serving;
        private string _heard = "";

        public Impostor(string name)
        {
            using ECDsa authorityKey = ECDsa.Create(ECCurve.NamedCurves.nistP256), key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
            var authority = new CertificateRequest("CN=impostor", authorityKey, HashAlgorithmName.SHA256);
            authority.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
            DateTimeOffset now = TimeProvider.System.GetUtcNow();
            Authority = authority.CreateSelfSigned(now.AddDays(-1), now.AddDays(1));
            var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
            using X509Certificate2 issued = request.Create(Authority, now.AddHours(-1), now.AddHours(1), [1, 2, 3]);
            using X509Certificate2 whole = issued.CopyWithPrivateKey(key);
            _certificate = X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
            _listener.Start();
            _serving = ServeAsync();
        }

        public X509Certificate2 Authority { get; }

        public string Url => $"https://{_listener.LocalEndpoint}";

        /// <summary>What came through TLS.</summary>
        public string Heard
        {
            get
            {
                lock (_lock)
                {
                    return _heard;
                }
            }
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            _listener.Dispose();
            await _serving;
            _stop.Dispose();
            _certificate.Dispose();
            Authority.Dispose();
        }

        private async Task ServeAsync()
        {
            while (!_stop.IsCancellationRequested)
            {
                try
                {
                    using TcpClient client = await _listener.AcceptTcpClientAsync(_stop.Token);
                    await using var tls = new SslStream(client.GetStream());
                    await tls.AuthenticateAsServerAsync(new SslServerAuthenticationOptions { ServerCertificate = _certificate },
                        _stop.Token);
                    byte[] buffer = new byte[8192];
                    int read = await tls.ReadAsync(buffer, _stop.Token);
                    lock (_lock)
                    {
                        _heard += System.Text.Encoding.ASCII.GetString(buffer, 0, read);
                    }
                    string pem = Authority.ExportCertificatePem();
                    await tls.WriteAsync(System.Text.Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Length: " +
                        $"{pem.Length}\r\nConnection: close\r\n\r\n{pem}"), _stop.Token);
                }
                catch (Exception e) when (e is IOException or AuthenticationException or OperationCanceledException or SocketException)
                {
                    // Whoever came did not like the certificate, or the test is over.
                }
            }
        }
    }
}
