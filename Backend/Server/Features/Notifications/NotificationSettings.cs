using System.Net.Mail;
using System.Text.RegularExpressions;
using Bootstrap.Server.Storage;

namespace Bootstrap.Server.Features.Notifications;

/// <summary>How a mail server is spoken to.</summary>
public enum MailSecurity
{
    /// <summary>TLS after STARTTLS (RFC 3207); without it nothing is sent.</summary>
    StartTls,

    /// <summary>TLS from the first byte (RFC 8314).</summary>
    Tls,

    /// <summary>In the clear: for a server on this machine.</summary>
    None,
}

/// <summary>A program that is told by HTTP POST, signed as Standard Webhooks says (standardwebhooks.com).</summary>
/// <param name="Events">What it is told.</param>
/// <param name="Secret">Write-only: <c>whsec_</c> and 24 to 64 bytes in Base64. Not given: the one that is kept, or a new one, which is
/// shown in that answer alone.</param>
/// <param name="SecretSet">One is kept.</param>
public sealed record Webhook(string Name, string Url, IReadOnlyList<NoticeKind> Events, string? Secret = null, bool? SecretSet = null);

/// <summary>People who are told by e-mail.</summary>
/// <param name="From">Sender's address.</param>
/// <param name="User">For the server; null: it asks for none.</param>
/// <param name="Password">Write-only; not given: the one that is kept.</param>
/// <param name="PasswordSet">One is kept.</param>
public sealed record MailNotification(
    string Host, int Port, MailSecurity Security, string From, IReadOnlyList<string> To, IReadOnlyList<NoticeKind> Events,
    string? User = null, string? Password = null,
    bool? PasswordSet = null);

/// <summary>Who is told what.</summary>
/// <param name="Mail">Null: nobody.</param>
public sealed partial record NotificationSettings(IReadOnlyList<Webhook> Webhooks, MailNotification? Mail = null)
{
    /// <summary>The one target that is no webhook.</summary>
    public const string MailTarget = "e-mail";

    public static readonly NotificationSettings None = new([]);

    private const int MostWebhooks = 20, MostReceivers = 50;

    /// <summary>Who is told of this: names of webhooks, or <see cref="MailTarget"/>.</summary>
    public IEnumerable<string> TargetsOf(NoticeKind kind) =>
        [.. Webhooks.Where(w => w.Events.Contains(kind)).Select(w => w.Name), .. Mail?.Events.Contains(kind) == true ? [MailTarget]
            : Array.Empty<string>()];

    /// <summary>What is wrong with it, in one sentence; null: nothing.</summary>
    public string? Validate()
    {
        if (Webhooks.Count > MostWebhooks)
        {
            return $"There can be {MostWebhooks} webhooks, not {Webhooks.Count}.";
        }
        foreach (Webhook hook in Webhooks)
        {
            string? fault = !Name().IsMatch(hook.Name) || hook.Name == MailTarget
                ? $"'{hook.Name}' cannot be a webhook's name: use 1 to 40 of a-z, 0-9 and '-', and not '{MailTarget}'."
                : Webhooks.Count(w => w.Name == hook.Name) > 1 ? $"There are two webhooks '{hook.Name}'."
                : !Uri.TryCreate(hook.Url, UriKind.Absolute, out Uri? url) || url.Scheme is not ("http" or "https")
                    ? $"'{hook.Url}' of the webhook '{hook.Name}' is no http or https address."
                : url.UserInfo.Length > 0
                    ? $"The address of the webhook '{hook.Name}' has a name or password in it: that is no place for a secret."
                : hook.Events.Count == 0 ? $"The webhook '{hook.Name}' has no events: name one of {Kinds}."
                : hook.Secret is { } secret && WebhookSignature.KeyOf(secret) is null
                    ? $"The secret of the webhook '{hook.Name}' is not 'whsec_' and 24 to 64 bytes in Base64."
                : null;
            if (fault is not null)
            {
                return fault;
            }
        }
        return Mail is { } mail ? Validate(mail) : null;
    }

    private static string? Validate(MailNotification mail) =>
        Uri.CheckHostName(mail.Host) == UriHostNameType.Unknown ? $"'{mail.Host}' is not the name or address of a mail server."
        : mail.Port is < 1 or > 65535 ? $"A mail server's port is 1 to 65535, not {mail.Port}."
        : !MailAddress.TryCreate(mail.From, out _) ? $"'{mail.From}' is not an e-mail address."
        : mail.To.Count is 0 or > MostReceivers ? $"E-mail goes to 1 to {MostReceivers} addresses, not {mail.To.Count}."
        : mail.To.FirstOrDefault(to => !MailAddress.TryCreate(to, out _)) is { } wrong ? $"'{wrong}' is not an e-mail address."
        : mail.Events.Count == 0 ? $"E-mail has no events: name one of {Kinds}."
        : mail.Password is not null && string.IsNullOrEmpty(mail.User) ? "A password for the mail server needs a user."
        : mail is { User: not null, Security: MailSecurity.None } && !IsLoopback(mail.Host)
            ? "A password would go to the mail server in the clear: use start-tls or tls."
        : null;

    private static string Kinds => string.Join(", ", Enum.GetValues<NoticeKind>().Select(ApiJson.Word));

    private static bool IsLoopback(string host) =>
        host == "localhost" || System.Net.IPAddress.TryParse(host, out System.Net.IPAddress? address)
        && System.Net.IPAddress.IsLoopback(address);

    [GeneratedRegex(@"\A[a-z0-9][a-z0-9-]{0,39}\z")]
    private static partial Regex Name();
}
