using System.CommandLine;
using System.Net.Http.Json;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap notifications</c>: who is told what happens.</summary>
internal static class NotificationCommands
{
    /// <summary>The settings as a file has them (YAML), word for word as the API takes them.</summary>
    internal sealed class SettingsFile
    {
        public List<Hook> Webhooks { get; init; } = [];

        public MailEntry? Mail { get; init; }

        internal sealed class Hook
        {
            public string Name { get; init; } = "";
            public string Url { get; init; } = "";
            public List<string> Events { get; init; } = [];
            public Secret? Secret { get; init; }
        }

        internal sealed class MailEntry
        {
            public string Host { get; init; } = "";
            public int Port { get; init; } = 587;
            public string Security { get; init; } = "start-tls";
            public string From { get; init; } = "";
            public List<string> To { get; init; } = [];
            public List<string> Events { get; init; } = [];
            public string? User { get; init; }
            public Secret? Password { get; init; }
        }
    }

    private sealed record View(Settings Settings, IReadOnlyList<TargetState> Waiting);

    private sealed record Settings(IReadOnlyList<Webhook> Webhooks, Mail? Mail);

    private sealed record Webhook(string Name, string Url, IReadOnlyList<string> Events, string? Secret);

    private sealed record Mail(string Host, int Port, IReadOnlyList<string> To, IReadOnlyList<string> Events);

    private sealed record TargetState(string Target, int Waiting, string Error);

    public static Command Create()
    {
        var file = new Option<FileInfo>("--file", "-f") { Description = "YAML file; see docs/notifications.md.", Required = true };
        var target = new Argument<string>("target") { Description = "Name of a webhook, or 'e-mail'." };
        return new Command("notifications", "Say who is told when jobs end or fail and boards come, by webhook and e-mail.")
        {
            new Command("show", "Who is told what, and what has not arrived yet.").Does(async (client, parsed, cancellation) =>
                Print(await client.GetAsync<View>("notifications", cancellation), parsed)),
            new Command("apply", "Replace the settings by those of a file; secrets that it does not give stay.") { file }
                .Does(async (client, parsed, cancellation) =>
            {
                SettingsFile wanted = YamlFile.Read<SettingsFile>(parsed.GetRequiredValue(file).FullName);
                View view = await client.SendAsync<View>(HttpMethod.Put, "notifications", JsonContent.Create(wanted), cancellation);
                foreach (Webhook made in view.Settings.Webhooks.Where(w => w.Secret is not null))
                {
                    await Console.Error.WriteLineAsync($"the secret of the webhook '{made.Name}', which is shown this once: {made.Secret}");
                }
                return Print(view, parsed);
            }),
            new Command("test", "Send a test, and say whether it arrived.") { target }.Does(async (client, parsed, cancellation) =>
            {
                await client.SendAsync(HttpMethod.Post, "notifications/test", new { target = parsed.GetRequiredValue(target) },
                    cancellation);
                Console.WriteLine("it arrived");
                return 0;
            }),
        };
    }

    private static int Print(View view, ParseResult parsed)
    {
        if (parsed.GetValue(ClientCommand.Json))
        {
            Output.Json(view);
            return 0;
        }
        IEnumerable<string[]> rows = view.Settings.Webhooks.Select(w => new[] { w.Name, w.Url, string.Join(", ", w.Events) });
        if (view.Settings.Mail is { } mail)
        {
            rows = rows.Append(["e-mail", $"{string.Join(", ", mail.To)} by {mail.Host}:{mail.Port}", string.Join(", ", mail.Events)]);
        }
        Output.Table(["NAME", "TO", "EVENTS"], rows);
        foreach (TargetState waiting in view.Waiting)
        {
            Console.WriteLine(
                $"{waiting.Target}: {waiting.Waiting} not arrived yet{(waiting.Error.Length > 0 ? $": {waiting.Error}" : "")}");
        }
        return 0;
    }
}
