using System.Security.Cryptography;
using Bootstrap.Server.Storage;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>The token that boards ask to be admitted with: made once, kept, and handed out with this appliance's boot files
/// alone.</summary>
internal sealed record JoinToken(string Text)
{
    private const string Key = "join-token";

    public static JoinToken Of(SettingsStore settings)
    {
        if (settings.Get<string>(Key) is { } known)
        {
            return new JoinToken(known);
        }
        var made = new JoinToken(Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)));
        settings.Set(Key, made.Text);
        return made;
    }
}
