namespace Bootstrap.Server.Features.Profiles;

/// <summary>A profile's secrets by their places.</summary>
internal sealed class ProfileSecrets(IReadOnlyDictionary<string, string> places)
{
    private const string WirelessPlace = "wifi", UserPlace = "user:", NamedPlace = "secret:";

    public static readonly ProfileSecrets None = new(new Dictionary<string, string>());

    /// <summary>What is stored, locked.</summary>
    public IReadOnlyDictionary<string, string> Places => places;

    /// <summary>Of the Wi-Fi network; empty: none is set.</summary>
    public string Passphrase => places.GetValueOrDefault(WirelessPlace, "");

    /// <summary>Names of those that templates may use.</summary>
    public IEnumerable<string> Names =>
        places.Keys.Where(p => p.StartsWith(NamedPlace, StringComparison.Ordinal)).Select(p => p[NamedPlace.Length..]);

    /// <summary>Of a user; empty: none is set.</summary>
    public string PasswordHash(string user) => places.GetValueOrDefault(UserPlace + user, "");

    /// <summary>What <c>secret.NAME</c> is; null: there is none.</summary>
    public string? Named(string name) => places.GetValueOrDefault(NamedPlace + name);

    /// <summary>With what a profile says of them: what it does not mention stays, what is empty goes, as do those whose user or network it
    /// has not.</summary>
    public ProfileSecrets With(Profile profile)
    {
        var kept = new Dictionary<string, string>();
        foreach (ProfileUser user in profile.Users ?? [])
        {
            Keep(UserPlace + user.Name, user.PasswordHash);
        }
        if (profile.Wifi is { } wifi)
        {
            Keep(WirelessPlace, wifi.Passphrase);
        }
        foreach (string name in Names.Union(profile.Secrets?.Keys ?? []))
        {
            Keep(NamedPlace + name, profile.Secrets?.GetValueOrDefault(name));
        }
        return new ProfileSecrets(kept);

        void Keep(string place, string? given)
        {
            if ((given ?? places.GetValueOrDefault(place)) is { Length: > 0 } secret)
            {
                kept[place] = secret;
            }
        }
    }

    /// <summary>The same with a word in the place of each, for people.</summary>
    public ProfileSecrets Masked() => new(places.ToDictionary(p => p.Key, _ => "(secret)"));
}
