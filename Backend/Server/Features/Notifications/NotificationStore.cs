using Bootstrap.Server.Features.Trust;
using Bootstrap.Server.Storage;

namespace Bootstrap.Server.Features.Notifications;

/// <summary>Keeps who is told what, with the secrets locked.</summary>
internal sealed class NotificationStore(SettingsStore settings, SecretBox box)
{
    private const string Key = "notifications";

    /// <param name="Settings">Without secrets.</param>
    /// <param name="Secrets">Target → its secret, locked.</param>
    private sealed record Kept(NotificationSettings Settings, IReadOnlyDictionary<string, string> Secrets);

    /// <summary>As people see it.</summary>
    public NotificationSettings View() => Load() is { } kept ? View(kept.Settings, kept.Secrets.Keys) : NotificationSettings.None;

    /// <summary>With the secrets, for those who send.</summary>
    public NotificationSettings Get() => Load() is not { } kept ? NotificationSettings.None : new NotificationSettings(
        [.. kept.Settings.Webhooks.Select(w => w with { Secret = Unlock(kept, w.Name) })],
        kept.Settings.Mail is { } mail ? mail with { Password = Unlock(kept, NotificationSettings.MailTarget) } : null);

    /// <summary>Stores it in the place of what was. Secrets that are not given stay; a webhook without one gets one.</summary>
    /// <returns>As people see it, with the secrets that were made just now: nobody sees them again.</returns>
    public NotificationSettings Put(NotificationSettings wanted)
    {
        IReadOnlyDictionary<string, string> before = Load()?.Secrets ?? new Dictionary<string, string>();
        var secrets = new Dictionary<string, string>();
        var made = new Dictionary<string, string>();
        foreach (Webhook hook in wanted.Webhooks)
        {
            string? given = hook.Secret;
            if (given is null && !before.ContainsKey(hook.Name))
            {
                made[hook.Name] = given = WebhookSignature.NewSecret();
            }
            secrets[hook.Name] = given is null ? before[hook.Name] : Lock(given, hook.Name);
        }
        if (wanted.Mail is { User: not null } mail
            && (mail.Password is { } password ? Lock(password, NotificationSettings.MailTarget)
            : before.GetValueOrDefault(NotificationSettings.MailTarget)) is { } locked)
        {
            secrets[NotificationSettings.MailTarget] = locked;
        }
        var bare = new NotificationSettings(
            [.. wanted.Webhooks.Select(w => w with { Secret = null, SecretSet = null })], wanted.Mail is { } m
                ? m with { Password = null, PasswordSet = null } : null);
        settings.Set(Key, new Kept(bare, secrets));
        NotificationSettings view = View(bare, secrets.Keys);
        return view with { Webhooks = [.. view.Webhooks.Select(w => w with { Secret = made.GetValueOrDefault(w.Name) })] };
    }

    private Kept? Load() => settings.Get<Kept>(Key);

    private static NotificationSettings View(NotificationSettings bare, IEnumerable<string> locked) => new(
        [.. bare.Webhooks.Select(w => w with { SecretSet = true })],
        bare.Mail is { } mail ? mail with { PasswordSet = locked.Contains(NotificationSettings.MailTarget) } : null);

    private string Lock(string secret, string target) => box.Lock(secret, About(target));

    private string? Unlock(Kept kept, string target) => kept.Secrets.TryGetValue(target, out string? locked)
        ? box.Unlock(locked, About(target)) : null;

    private static string About(string target) => $"notification {target}";
}
