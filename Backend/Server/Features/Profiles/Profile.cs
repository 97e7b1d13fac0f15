using System.Text.Json.Serialization;

namespace Bootstrap.Server.Features.Profiles;

/// <summary>
/// How an installed system is made a node's own. Texts are templates (<see cref="Template"/>), but for the names of the profile, of users
/// and of values, and for secrets. What is not given leaves the image as it is.
/// </summary>
/// <param name="Name">Of a-z, 0-9, '-' and '_'.</param>
/// <param name="HostName">RFC 1123 label.</param>
/// <param name="Users">Made, or changed where the image has them.</param>
/// <param name="Locale">"de_DE.UTF-8".</param>
/// <param name="TimeZone">IANA name: "Europe/Berlin".</param>
/// <param name="Networks">Static addresses, one of each interface.</param>
/// <param name="Packages">Installed at the first start, by the system's package manager.</param>
/// <param name="FirstBootScript">Run once at the first start, by root, after the packages; begins with "#!".</param>
/// <param name="CloudInit">User-data, for images with cloud-init.</param>
/// <param name="KeptPaths">What an image update is to keep.</param>
/// <param name="Values">What <c>value.NAME</c> is where neither a group of the node nor the node itself says otherwise.</param>
/// <param name="Secrets">What <c>secret.NAME</c> is in files, script and user-data. Write-only: null or left out keeps one, empty forgets
/// it.</param>
/// <param name="SecretsSet">Read-only: names of those that are kept.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record Profile(
    string Name = "",
    string Description = "",
    string HostName = Profile.NodeName,
    IReadOnlyList<ProfileUser>? Users = null,
    string Locale = "",
    ProfileKeyboard? Keyboard = null,
    string TimeZone = "",
    ProfileWireless? Wifi = null,
    IReadOnlyList<ProfileNetwork>? Networks = null,
    IReadOnlyList<string>? Packages = null,
    IReadOnlyList<ProfileFile>? Files = null,
    string FirstBootScript = "",
    string CloudInit = "",
    IReadOnlyList<string>? KeptPaths = null,
    IReadOnlyDictionary<string, string>? Values = null,
    IReadOnlyDictionary<string, string?>? Secrets = null,
    IReadOnlyList<string>? SecretsSet = null)
{
    /// <summary>The host name that a node has without a profile.</summary>
    public const string NodeName = "{{ node.name }}";

    /// <summary>What an image update keeps where nobody says otherwise.</summary>
    public static readonly IReadOnlyList<string> UsuallyKept = ["/home", "/etc/ssh/ssh_host_*", "/etc/machine-id"];

    /// <summary>A list or a map has a null in it, which no type forbids.</summary>
    [JsonIgnore]
    public bool HasHoles =>
        new IEnumerable<object?>?[] { Users, Networks, Packages, Files, KeptPaths, Values?.Values }.Any(HasNull) ||
        Users?.Any(u => HasNull(u.Groups) || HasNull(u.Keys)) == true || Networks?.Any(n => HasNull(n.Dns)) == true;

    /// <summary>With all lists there, and without any secret: as it is stored.</summary>
    public Profile Settled() => this with
    {
        Users = [.. (Users ?? [])
            .Select(u => u with { Groups = u.Groups ?? [], Keys = u.Keys ?? [], PasswordHash = null, PasswordSet = null })],
        Wifi = Wifi is null ? null : Wifi with { Passphrase = null, PassphraseSet = null },
        Networks = [.. (Networks ?? []).Select(n => n with { Dns = n.Dns ?? [] })],
        Packages = Packages ?? [],
        Files = Files ?? [],
        KeptPaths = KeptPaths ?? UsuallyKept,
        Values = Values ?? new Dictionary<string, string>(),
        Secrets = null,
        SecretsSet = null,
    };

    /// <summary>As people see it: which secrets are kept, and none of them.</summary>
    public Profile View(ProfileSecrets secrets) => this with
    {
        Users = [.. Users!.Select(u => u with { PasswordSet = secrets.PasswordHash(u.Name).Length > 0 })],
        Wifi = Wifi is null ? null : Wifi with { PassphraseSet = secrets.Passphrase.Length > 0 },
        SecretsSet = [.. secrets.Names.Order(StringComparer.Ordinal)],
    };

    private static bool HasNull(IEnumerable<object?>? items) => items?.Contains(null) == true;
}

/// <param name="FullName">Empty: as it is.</param>
/// <param name="Groups">Beside his own.</param>
/// <param name="Shell">Absolute path; empty: as it is, or the usual one.</param>
/// <param name="Sudo">May do everything, without a password.</param>
/// <param name="Keys">OpenSSH public keys.</param>
/// <param name="PasswordHash">Write-only, as <c>openssl passwd -6</c> prints it: null or left out keeps it, empty forgets it.</param>
/// <param name="PasswordSet">Read-only.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ProfileUser(
    string Name, string FullName = "", IReadOnlyList<string>? Groups = null, string Shell = "", bool Sudo = false,
    IReadOnlyList<string>? Keys = null,
    string? PasswordHash = null, bool? PasswordSet = null);

/// <param name="Layout">"de", "us".</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ProfileKeyboard(string Layout, string Model = "pc105", string Variant = "", string Options = "");

/// <param name="Country">Two letters: "DE".</param>
/// <param name="Passphrase">Write-only, of WPA: null or left out keeps it, empty forgets it (an open network).</param>
/// <param name="PassphraseSet">Read-only.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ProfileWireless(string Ssid, string Country, bool Hidden = false, string? Passphrase = null,
    bool? PassphraseSet = null);

/// <param name="Interface">Name ("eth0") or MAC address.</param>
/// <param name="Address">With its prefix: "10.0.0.5/24".</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ProfileNetwork(string Interface, string Address, string Gateway = "", IReadOnlyList<string>? Dns = null);

/// <param name="Path">Absolute.</param>
/// <param name="Owner">"pi" or "pi:users"; a user's own group is the one of his name.</param>
/// <param name="Mode">In octal.</param>
/// <param name="Template">False: the content is written as it is.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
internal sealed record ProfileFile(string Path, string Content = "", string Owner = "root", string Mode = "0644", bool Template = true);
