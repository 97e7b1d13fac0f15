using System.Globalization;
using System.Net.Sockets;
using System.Text;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;

namespace Bootstrap.Server.Features.Notifications;

/// <summary>Brings one notice to one target.</summary>
internal sealed class NotificationChannel(TimeProvider clock) : IDisposable
{
    private static readonly TimeSpan s_sendTimeout = TimeSpan.FromSeconds(15);

    // A redirection would take what is signed to somebody whom nobody named.
    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5)
    })
    { Timeout = s_sendTimeout };

    /// <summary>Sends it.</summary>
    /// <param name="settings">With secrets.</param>
    /// <param name="id">The same for each attempt at the same target: a receiver that gets it twice knows.</param>
    /// <returns>Why it did not arrive, in one sentence; empty: it did.</returns>
    public async Task<string> SendAsync(NotificationSettings settings, string target, string id, string headline, string text, string body,
        CancellationToken cancellation)
    {
        try
        {
            if (target == NotificationSettings.MailTarget)
            {
                return settings.Mail is { } mail ? await MailAsync(mail, id, headline, text, cancellation) : "nobody gets e-mail any more";
            }
            return settings.Webhooks.FirstOrDefault(w => w.Name == target) is { } hook ? await PostAsync(hook, id, body, cancellation)
                : $"there is no webhook '{target}' any more";
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return $"no answer within {s_sendTimeout.TotalSeconds:0} s";
        }
        catch (Exception e) when (e is HttpRequestException or IOException or SocketException or AuthenticationException
            or ProtocolException or CommandException or SslHandshakeException)
        {
            return (e.InnerException ?? e).Message.ReplaceLineEndings(" ");
        }
    }

    public void Dispose() => _http.Dispose();

    private async Task<string> PostAsync(Webhook hook, string id, string body, CancellationToken cancellation)
    {
        if (hook.Secret is null || WebhookSignature.KeyOf(hook.Secret) is not { } key)
        {
            return "its secret cannot be unlocked: give it again";
        }
        long now = clock.GetUtcNow().ToUnixTimeSeconds();
        using var request = new HttpRequestMessage(HttpMethod.Post,
            hook.Url)
        { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", now.ToString(CultureInfo.InvariantCulture));
        request.Headers.Add("webhook-signature", WebhookSignature.Sign(key, id, now, body));
        using HttpResponseMessage answer = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        return answer.IsSuccessStatusCode ? "" : $"it answered {(int)answer.StatusCode} {answer.ReasonPhrase}";
    }

    private async Task<string> MailAsync(MailNotification mail, string id, string headline, string text, CancellationToken cancellation)
    {
        using var message = new MimeMessage
        {
            MessageId = $"{id}@bootstrap.invalid",
            Date = clock.GetUtcNow(),
            Subject = $"Bootstrap: {headline}",
            Body = new TextPart("plain") { Text = text },
        };
        message.From.Add(MailboxAddress.Parse(mail.From));
        message.To.AddRange(mail.To.Select(MailboxAddress.Parse));
        using var client = new SmtpClient { Timeout = (int)s_sendTimeout.TotalMilliseconds };
        using var patience = new CancellationTokenSource(s_sendTimeout);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellation);
        await client.ConnectAsync(mail.Host, mail.Port, mail.Security switch
        {
            MailSecurity.StartTls => SecureSocketOptions.StartTls,
            MailSecurity.Tls => SecureSocketOptions.SslOnConnect,
            _ => SecureSocketOptions.None,
        }, either.Token);
        if (mail.User is { } user)
        {
            await client.AuthenticateAsync(user, mail.Password ?? "", either.Token);
        }
        await client.SendAsync(message, either.Token);
        // It has it; how it says goodbye is of no interest.
        await client.DisconnectAsync(quit: false, CancellationToken.None);
        return "";
    }
}
