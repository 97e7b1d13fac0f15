using System.CommandLine;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using Bootstrap.Netboot;
using Bootstrap.Netboot.Dhcp;
using Bootstrap.Netboot.Tftp;
using Bootstrap.Server;
using Bootstrap.Server.Hosting;
using Bootstrap.Server.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Hosting;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap serve</c>: the appliance in the foreground.</summary>
internal static class ServeCommand
{
    public const string Name = "serve";

    public static Command Create()
    {
        var data = new Option<DirectoryInfo>("--data")
        {
            Description = "Folder that holds everything the appliance keeps.",
            Required = true
        };
        var backups = new Option<DirectoryInfo?>("--backups")
        {
            Description = "Folder for the backups that are made by themselves, best on another disk. Default: 'backups' in the data " +
                "folder.",
        };
        Option<IPEndPoint> https = EndPoint("--https", "0.0.0.0:8443", "Web page and API.");
        Option<IPEndPoint> http = EndPoint("--http", "0.0.0.0:8080", "Boot files and chunks, plain HTTP.");
        Option<IPEndPoint> link = EndPoint("--link", "0.0.0.0:8444", "Enrolment and control link of the nodes.");
        var tftp = new Option<string>("--tftp")
        {
            Description = "Boot files by TFTP, or 'off'.",
            HelpName = "ADDR:PORT|off",
            DefaultValueFactory = _ => "0.0.0.0:69",
        };
        tftp.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: not "off" and var text }] && !TryParse(text, out _))
            {
                result.AddError(NotAnEndPoint(text));
            }
        });
        var dhcp = new Option<DhcpMode?>("--dhcp")
        {
            Description = "proxy: beside your DHCP server. full: the only one of an isolated rack. off: none. Default: as set on the " +
                "page; proxy where it never was.",
        };
        var force = new Option<bool>(
            "--dhcp-force")
        { Description = "With --dhcp full: hand out addresses even where another DHCP server answers." };
        Option<string[]> pools = Values("--dhcp-pool", AddressPool.Form,
            "With --dhcp full: addresses to hand out, and no others; may be given several times, also for subnets behind relays. " +
                "Default: the interface's whole subnet.");
        Option<string[]> reservations = Values("--dhcp-reserve", "ADDR=MAC|SERIAL",
            "With --dhcp full: an address for one board alone; may be given several times.");
        var uploads = new Option<DirectoryInfo?>("--tftp-uploads")
        {
            Description = "Let clients write new files by TFTP, such as logs, each into a folder of its own below this one.",
        };
        var no2015 = new Option<bool>(
            "--no-2015")
        { Description = "Do not answer the discovery protocol of 2015, in which answers are longer than questions." };
        Option<string[]> interfaces = Values("--interface", "NAME",
            "Interface for DHCP and discovery; may be given several times. Default: all physical ones.");
        var signingKey = new Option<FileInfo?>("--boot-signing-key")
        {
            Description = "Sign boot.img for the HTTP boot of Raspberry Pi " +
            "boards with this private RSA-2048 key (PEM)."
        };
        var token = new Option<FileInfo?>(
            "--initial-token")
        { Description = "Write an administrator's API token to this file on the first start." };
        var command = new Command(Name, "Run the appliance in the foreground until SIGTERM or Ctrl-C.")
        {
            data, backups, https, http, link, tftp, uploads, dhcp, pools, reservations, force, interfaces, no2015, signingKey, token,
        };
        command.Validators.Add(result =>
        {
            string[] wantedPools = result.GetValue(pools) ?? [], wantedReservations = result.GetValue(reservations) ?? [];
            if (result.GetValue(dhcp) is { } mode && Settings(mode, wantedPools, wantedReservations, force: false).Validate() is { } fault)
            {
                result.AddError(fault);
            }
            else if (result.GetValue(dhcp) != DhcpMode.Full
                && (wantedPools.Length + wantedReservations.Length > 0 || result.GetValue(force)))
            {
                result.AddError("--dhcp-pool, --dhcp-reserve and --dhcp-force go with --dhcp full.");
            }
        });
        command.SetAction((parsed, cancellation) => RunAsync(
            new ApplianceOptions(parsed.GetRequiredValue(data).FullName, Path.Combine(AppContext.BaseDirectory, "share"))
            {
                Https = parsed.GetRequiredValue(https),
                Http = parsed.GetRequiredValue(http),
                Link = parsed.GetRequiredValue(link),
                Tftp = TryParse(parsed.GetRequiredValue(tftp), out IPEndPoint? endPoint) ? endPoint : null,
                TftpUploads = parsed.GetValue(uploads) is { } folder ? new TftpUploads(folder.FullName) : null,
                Dhcp = parsed.GetValue(dhcp) is { } mode
                    ? Settings(mode, parsed.GetRequiredValue(pools), parsed.GetRequiredValue(reservations), parsed.GetValue(force))
                    : null,
                Interfaces = parsed.GetRequiredValue(interfaces),
                Answer2015 = !parsed.GetValue(no2015),
                BootSigningKey = parsed.GetValue(signingKey)?.FullName,
                BackupsFolder = parsed.GetValue(backups)?.FullName!,
                InitialTokenFile = parsed.GetValue(token)?.FullName,
            }));
        return command;
    }

    private static DhcpSettings Settings(DhcpMode mode, string[] pools, string[] reservations, bool force) =>
        new(mode) { Pools = pools, Reservations = reservations, BesideRivals = force };

    private static async Task<int> RunAsync(ApplianceOptions options)
    {
        LeanProcess.Ensure();
        using var stop = new StopSignals();
        DataFolder.MakeAllPrivate();
        try
        {
            await using WebApplication appliance = ApplianceHost.Build(options, TimeProvider.System);
            await ServiceFailure.StartAsync(appliance, stop.Asked);
            bool all = options.Https.Address.Equals(IPAddress.Any) || options.Https.Address.Equals(IPAddress.IPv6Any);
            string host = all ? Environment.MachineName : options.Https.Address.ToString();
            Uri page = new UriBuilder(Uri.UriSchemeHttps, host, options.Https.Port).Uri;
            // A journal is read by others, and kept: the link is shown to a terminal alone.
            string file = ApplianceHost.WriteSignInLink(appliance, page, out Uri link);
            Console.WriteLine($"CA fingerprint (SHA-256): {ApplianceHost.FingerprintOf(appliance)}");
            Console.WriteLine($"ready {(Console.IsOutputRedirected ? page : link)}");
            Console.WriteLine(Console.IsOutputRedirected
                ? $"      (a link that signs you in, once, is in {file})"
                : "      (open this link once to sign in; the browser will ask about the certificate, which this appliance made itself)");
            await appliance.WaitForShutdownAsync(stop.Asked);
            return ServiceFailure.Find(appliance) is { } failure ? Fail($"{failure.TrimEnd('.')}.") : 0;
        }
        catch (OperationCanceledException) when (stop.Asked.IsCancellationRequested)
        {
            return 0; // before it was ready
        }
        catch (IOException e) when (e.InnerException is Microsoft.AspNetCore.Connections.AddressInUseException)
        {
            return Fail($"{e.Message.TrimEnd('.')}: stop the other program, or choose another port (see bootstrap serve --help).");
        }
        catch (Exception e) when (e is NetbootException or IOException or InvalidDataException or UnauthorizedAccessException)
        {
            return Fail(e.Message.TrimEnd('.') + ".");
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.AccessDenied)
        {
            return Fail($"A port below 1024 needs a privilege: {e.Message}. Run with sudo, or grant it: sudo setcap " +
                $"cap_net_bind_service,cap_net_raw+ep {Environment.ProcessPath}");
        }
    }

    private static int Fail(string sentence)
    {
        Console.Error.WriteLine($"bootstrap: {sentence}");
        return 1;
    }

    private static Option<IPEndPoint> EndPoint(string name, string value, string description) => new(name)
    {
        Description = description,
        HelpName = "ADDR:PORT",
        DefaultValueFactory = _ => IPEndPoint.Parse(value),
        CustomParser = result =>
        {
            if (TryParse(result.Tokens[0].Value, out IPEndPoint? endPoint))
            {
                return endPoint;
            }
            result.AddError(NotAnEndPoint(result.Tokens[0].Value));
            return new IPEndPoint(IPAddress.Any, 0);
        },
    };

    /// <summary>An option that may be given several times.</summary>
    private static Option<string[]> Values(string name, string help, string description) =>
        new(name) { Description = description, HelpName = help, DefaultValueFactory = _ => [] };

    private static bool TryParse(string text, [NotNullWhen(true)] out IPEndPoint? endPoint) =>
        IPEndPoint.TryParse(text, out endPoint) && endPoint.Port != 0;

    private static string NotAnEndPoint(string text) => $"'{text}' is not an address and port, such as 0.0.0.0:8443 or [::]:8443.";
}
