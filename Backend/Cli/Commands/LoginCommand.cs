using System.CommandLine;
using System.Security.Cryptography.X509Certificates;
using Bootstrap.Cli.Api;

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
        var tokenFile = new Option<FileInfo>("--token-file") { Description = "File with an API token, such as serve --initial-token wrote.", Required = true };
        var fingerprint = new Option<string?>("--fingerprint") { Description = "SHA-256 of the appliance's CA; without it you are shown it to compare." };
        var command = new Command("login", "Remember an appliance for the other commands.") { url, tokenFile, fingerprint };
        command.SetAction((parsed, cancellation) => ClientCommand.GuardAsync(async () =>
        {
            FileInfo file = parsed.GetRequiredValue(tokenFile);
            if (!file.Exists)
            {
                throw new CliException($"there is no token file {file.FullName}");
            }
            Uri address = parsed.GetRequiredValue(url);
            using X509Certificate2 authority = await ApplianceClient.FetchAuthorityAsync(address, cancellation);
            string shown = Connection.Fingerprint(authority.RawData);
            if (parsed.GetValue(fingerprint) is { } expected && !expected.Equals(shown, StringComparison.OrdinalIgnoreCase))
            {
                throw new CliException($"the CA of {address} has the fingerprint {shown}, not {expected}: this is another appliance");
            }
            var connection = new Connection(address, (await File.ReadAllTextAsync(file.FullName, cancellation)).Trim(), authority.ExportCertificatePem());
            using var client = new ApplianceClient(connection);
            await client.GetAsync<IReadOnlyList<Node>>("nodes", cancellation);
            connection.Save(Connection.DefaultPath);
            Console.WriteLine($"signed in to {address}; CA fingerprint {shown}");
            return 0;
        }));
        return command;
    }
}
