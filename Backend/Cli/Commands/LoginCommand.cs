using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Cli.Api;
using Bootstrap.Protocol;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap login</c>: remembers an appliance and believes its CA from then on.</summary>
internal static class LoginCommand
{
    public static Command Create()
    {
        var url = new Argument<Uri>("url")
        {
            Description = "The appliance, such as https://10.0.0.1:8443.",
            CustomParser = result =>
            {
                if (Uri.TryCreate(result.Tokens[0].Value, UriKind.Absolute, out Uri? uri) && uri.Scheme == Uri.UriSchemeHttps)
                {
                    return uri;
                }
                result.AddError($"'{result.Tokens[0].Value}' is not an https address, such as https://10.0.0.1:8443.");
                return null;
            },
        };
        var tokenFile =
            new Option<FileInfo>("--token-file") { Description = "File with an API token, such as serve --initial-token wrote." };
        var linkFile = new Option<FileInfo>("--link-file")
        {
            Description = "File with a sign-in link, such as sign-in-link in the appliance's data folder: signs you in for a week.",
        };
        var fingerprint = new Option<string?>("--fingerprint")
        {
            Description = "Whole SHA-256 of the appliance's CA, as serve and the page show it. Default: you are asked to compare it.",
        };
        fingerprint.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: { } text }] && Fingerprint.TryParse(text) is null)
            {
                result.AddError($"'{text}' is no whole SHA-256 fingerprint: it has 64 hexadecimal digits.");
            }
        });
        var yes = new Option<bool>("--yes")
        {
            Description = "Believe whoever answers, without comparing: on a network where nobody else can answer.",
        };
        var command =
            new Command("login", "Sign in to an appliance, for all other commands.") { url, tokenFile, linkFile, fingerprint, yes };
        command.Validators.Add(result =>
        {
            if (result.GetValue(yes) && result.GetResult(fingerprint) is not null)
            {
                result.AddError("Give either --fingerprint or --yes.");
            }
            if (result.GetResult(tokenFile) is null == result.GetResult(linkFile) is null)
            {
                result.AddError("Give either --token-file or --link-file.");
            }
        });
        command.SetAction((parsed, cancellation) => ClientCommand.GuardAsync(async () =>
        {
            FileInfo file = parsed.GetValue(tokenFile) ?? parsed.GetRequiredValue(linkFile);
            if (!file.Exists)
            {
                throw new CliException($"there is no file {file.FullName}");
            }
            Uri address = parsed.GetRequiredValue(url);
            // Nothing that is secret leaves this machine before it is certain who gets it.
            string authority = await ProveAsync(address, parsed.GetValue(fingerprint), parsed.GetValue(yes), cancellation);
            string secret = (await File.ReadAllTextAsync(file.FullName, cancellation)).Trim();
            if (parsed.GetValue(linkFile) is not null)
            {
                string link = secret[(secret.IndexOf('#', StringComparison.Ordinal) + 1)..];
                secret = await ApplianceClient.SignInAsync(address, authority, link, cancellation);
            }
            var connection = new Connection(address, secret, authority);
            using var client = new ApplianceClient(connection);
            await client.GetAsync<IReadOnlyList<Node>>("nodes", cancellation);
            connection.Save(Connection.DefaultPath);
            Console.WriteLine($"signed in to {address}");
            return 0;
        }));
        return command;
    }

    /// <summary>Finds out whose address this is: by the fingerprint that was given, else by asking whoever sits at the terminal.</summary>
    /// <param name="believes">Whoever answers is believed.</param>
    /// <returns>The appliance's CA certificate, PEM.</returns>
    private static async Task<string> ProveAsync(Uri address, string? expected, bool believes, CancellationToken cancellation)
    {
        if (expected is null && !believes && (Console.IsInputRedirected || Console.IsErrorRedirected))
        {
            throw new CliException(
                "who answers there must be certain before anything is sent: give --fingerprint, which `bootstrap serve` prints when it " +
                    "starts, or believe whoever answers with --yes");
        }
        using X509Certificate2 authority = await ApplianceClient.FetchAuthorityAsync(address, cancellation);
        string shown = Fingerprint.Of(authority);
        if (expected is not null)
        {
            return Fingerprint.TryParse(expected) is { } wanted && wanted != shown
                ? throw new CliException(
                    $"the CA of {address} has the fingerprint {shown}, not {wanted}: this is another appliance; nothing was sent")
                : authority.ExportCertificatePem();
        }
        await Console.Error.WriteLineAsync($"{address} shows a CA with the fingerprint (SHA-256)\n  {shown}");
        if (!believes)
        {
            await Console.Error.WriteAsync("Is it the one that `bootstrap serve` printed when it started? Type yes to go on: ");
            if ((await Console.In.ReadLineAsync(cancellation))?.Trim() is not ("yes" or "y"))
            {
                throw new CliException("nothing was sent");
            }
        }
        return authority.ExportCertificatePem();
    }
}
