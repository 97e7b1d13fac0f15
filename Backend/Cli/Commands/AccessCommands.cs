using System.CommandLine;
using System.Globalization;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap users</c>, <c>tokens</c>, <c>audit</c> and <c>sign-in</c>: who may do what, and who did.</summary>
internal static class AccessCommands
{
    private sealed record Person(string Name, string Role, bool HasPassword, long CreatedAt);

    private sealed record Invitation(string Name, string Role, string Token);

    private sealed record Token(string Id, string Name, string Owner, string Role, long CreatedAt, long? ExpiresAt, long? LastUsedAt);

    private sealed record MadeToken(string Name, string Token);

    private sealed record AuditEntry(long Id, long At, string Who, string What, string Subject, string Refusal);

    private static readonly Argument<string> s_name = new("name") { Description = "Name of the user." };

    public static Command CreateUsers()
    {
        Option<string> role = Role("viewer sees everything, operator works with nodes and jobs, admin says who may sign in.");
        role.Required = true;
        return new Command("users", "Show, add and remove users, and choose their roles.")
        {
            new Command("list", "All users.").Lists<Person>(_ => "users", ["NAME", "ROLE", "PASSWORD", "SINCE"],
                p => [p.Name, p.Role, p.HasPassword ? "yes" : "no", p.CreatedAt == 0 ? "the start" : Output.Time(p.CreatedAt)]),
            new Command("add", "Add a user; prints a link that signs in once, within a day.") { s_name, role }
                .Does(async (client, parsed, cancellation) =>
                Invite(await client.PostAsync<Invitation>("users",
                    new { name = parsed.GetRequiredValue(s_name), role = parsed.GetRequiredValue(role) }, cancellation))),
            new Command("role", "Give a user another role.") { s_name, role }.Does(async (client, parsed, cancellation) =>
            {
                await client.SendAsync(HttpMethod.Patch, Path(parsed), new { role = parsed.GetRequiredValue(role) }, cancellation);
                return 0;
            }),
            new Command("link", "Print a link that signs a user in once, within a day.") { s_name }
                .Does(async (client, parsed, cancellation) =>
                Invite(await client.PostAsync<Invitation>($"{Path(parsed)}/sign-in-link", null, cancellation))),
            new Command("remove-password", "Take a user's password away, and end the user's sessions.") { s_name }
                .Does(async (client, parsed, cancellation) =>
            {
                await client.SendAsync(HttpMethod.Patch, Path(parsed), new { removePassword = true }, cancellation);
                return 0;
            }),
            new Command("remove", "Remove a user with all sessions and tokens.") { s_name }.Does(async (client, parsed, cancellation) =>
            {
                await client.SendAsync(HttpMethod.Delete, Path(parsed), null, cancellation);
                return 0;
            }),
        };
    }

    public static Command CreateTokens()
    {
        var name = new Argument<string>("name") { Description = "What the token is for." };
        var id = new Argument<string>("id") { Description = "As 'tokens list' shows it, or its beginning." };
        var days = new Option<int?>("--days") { Description = "Days until it expires; without it: never." };
        var file = new Option<FileInfo?>("--file") { Description = "Write it to this file, mode 0600, and do not print it." };
        Option<string> role = Role("What it may do at most; default: your role.");
        return new Command("tokens", "Let programs use the API in your name.")
        {
            new Command("list", "Your tokens; for an administrator, everybody's.")
                .Lists<Token>(_ => "tokens",
                ["ID", "NAME", new("OWNER", 2), new("ROLE", 1), new("MADE", 4), new("LAST USED", 3), new("EXPIRES", 2)],
                t => [t.Id, t.Name, t.Owner, t.Role, Output.Time(t.CreatedAt), Time(t.LastUsedAt), Time(t.ExpiresAt)]),
            new Command("add", "Make a token; it is shown only now.") { name, role, days, file }
                .Does(async (client, parsed, cancellation) =>
            {
                MadeToken made = await client.PostAsync<MadeToken>("tokens",
                    new { name = parsed.GetRequiredValue(name), role = parsed.GetValue(role), days = parsed.GetValue(days) }, cancellation);
                if (parsed.GetValue(file) is not { } target)
                {
                    Console.WriteLine(made.Token);
                    return 0;
                }
                await using FileStream stream = PrivateFile.Create(target.FullName);
                await stream.WriteAsync(System.Text.Encoding.ASCII.GetBytes(made.Token + "\n"), cancellation);
                return 0;
            }),
            new Command("revoke", "End a token.") { id }.Does(async (client, parsed, cancellation) =>
            {
                Token ended = ByWord.Pick(await client.GetAsync<IReadOnlyList<Token>>("tokens", cancellation),
                    parsed.GetRequiredValue(id), "token", "tokens list", t => t.Id, t => t.Name);
                await client.SendAsync(HttpMethod.Delete, $"tokens/{ended.Id}", null, cancellation);
                return 0;
            }),
        };
    }

    public static Command CreateAudit()
    {
        var text = new Option<string?>("--text") { Description = "Those that have this in any column." };
        var limit = new Option<int>("--limit") { Description = "At most so many (1 to 1000).", DefaultValueFactory = _ => 100 };
        return new Command("audit", "Show who did what, the newest first.") { text, limit }.WithTable()
            .Does(async (client, parsed, cancellation) => ClientCommand.Show(
            parsed, await client.GetAsync<IReadOnlyList<AuditEntry>>(string.Create(CultureInfo.InvariantCulture,
                $"audit?limit={parsed.GetValue(limit)}&text={Uri.EscapeDataString(parsed.GetValue(text) ?? "")}"), cancellation),
            ["TIME", "WHO", "WHAT", new("SUBJECT", 1), "REFUSED"],
            e => [Output.Time(e.At), e.Who.Length > 0 ? e.Who : "(nobody)", e.What, e.Subject, e.Refusal]));
    }

    public static Command CreateSignIn() =>
        new Command("sign-in", "Print a link that signs a browser in, once.").Does(async (client, parsed, cancellation) =>
        {
            SignInLink link = await client.PostAsync<SignInLink>("sign-in-links", null, cancellation);
            PrintLink(link.Token);
            return 0;
        });

    private static string Path(ParseResult parsed) => $"users/{Uri.EscapeDataString(parsed.GetRequiredValue(s_name))}";

    private static int Invite(Invitation invitation)
    {
        PrintLink(invitation.Token);
        return 0;
    }

    private static void PrintLink(string token) => Console.WriteLine($"{Connection.Load(Connection.DefaultPath).Url}sign-in#{token}");

    private static string Time(long? at) => at is { } known ? Output.Time(known) : "never";

    private static Option<string> Role(string description)
    {
        var role = new Option<string>("--role") { Description = description };
        role.AcceptOnlyFromAmong("viewer", "operator", "admin");
        return role;
    }
}
