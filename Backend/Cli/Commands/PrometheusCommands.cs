using System.CommandLine;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap prometheus</c>: what Prometheus needs to read the nodes' metrics.</summary>
internal static class PrometheusCommands
{
    private const int UsualDays = 365;

    private sealed record ScrapeToken(DateTimeOffset Until, string Token);

    private sealed record MadeToken(string Name, string Token);

    public static Command Create()
    {
        var folder = new Option<DirectoryInfo>("--to")
        {
            Description = "Folder for the files, such as /etc/prometheus/bootstrap; made if there is none.",
            HelpName = "FOLDER",
            Required = true,
        };
        var days = new Option<int?>("--days") { Description = "How long it lasts (a year)." };
        return new Command("prometheus", "Let Prometheus read the metrics of all nodes.")
        {
            new Command("setup", "Write what Prometheus needs. Its token is called 'prometheus': revoking that ends the access.")
            {
                folder, days,
            }.Does((client, parsed, cancellation) =>
                WriteAsync(client, parsed.GetRequiredValue(folder).FullName, parsed.GetValue(days) ?? UsualDays, cancellation)),
        };
    }

    private static async Task<int> WriteAsync(ApplianceClient client, string folder, int days, CancellationToken cancellation)
    {
        Connection own = Connection.Load(Connection.DefaultPath);
        MadeToken token = await client.PostAsync<MadeToken>("tokens", new { name = "prometheus", role = "viewer", days }, cancellation);
        // From that token, so that it ends with it.
        using var program = new ApplianceClient(own with { Token = token.Token });
        ScrapeToken scrape = await program.PostAsync<ScrapeToken>("status/scrape-token", null, cancellation);
        string job = Path.Combine(folder, "prometheus.yml");
        try
        {
            Directory.CreateDirectory(folder);
            await File.WriteAllTextAsync(Path.Combine(folder, "ca.pem"), own.Authority, cancellation);
            WriteSecret(Path.Combine(folder, "api.token"), token.Token);
            WriteSecret(Path.Combine(folder, "scrape.token"), scrape.Token);
            await File.WriteAllTextAsync(job, Job(own.Url, folder), cancellation);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{folder}: {e.Message.TrimEnd('.')}; revoke the token 'prometheus' that was made", e);
        }
        Console.WriteLine($"{job} is a job for Prometheus: start it with that file, or copy the job into yours; its user has to read the " +
            $"files beside it. The tokens end {Output.Time(scrape.Until.ToUnixTimeMilliseconds())}.");
        return 0;
    }

    private static void WriteSecret(string path, string secret)
    {
        using FileStream file = PrivateFile.Create(path);
        using var writer = new StreamWriter(file);
        writer.Write(secret);
    }

    private static string Job(Uri appliance, string folder) => $"""
        scrape_configs:
          - job_name: nodes
            scheme: https
            tls_config: {"{"} ca_file: {folder}/ca.pem {"}"}
            authorization: {"{"} type: Bearer, credentials_file: {folder}/scrape.token {"}"}
            http_sd_configs:
              - url: {new Uri(appliance, "/api/v1/status/targets")}
                tls_config: {"{"} ca_file: {folder}/ca.pem {"}"}
                authorization: {"{"} type: Bearer, credentials_file: {folder}/api.token {"}"}
          - job_name: appliance
            scheme: https
            tls_config: {"{"} ca_file: {folder}/ca.pem {"}"}
            authorization: {"{"} type: Bearer, credentials_file: {folder}/api.token {"}"}
            static_configs:
              - targets: ["{appliance.Authority}"]

        """;
}
