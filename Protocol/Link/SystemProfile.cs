namespace Bootstrap.Protocol.Link;

/// <summary>
/// A customisation profile as one node gets it: all variables are replaced, and its secrets are in it. It travels on the mutually
/// authenticated link alone. What is empty or null leaves the image as it is.
/// </summary>
/// <param name="Users">Made, or changed where the image has them.</param>
/// <param name="Locale">"de_DE.UTF-8".</param>
/// <param name="TimeZone">IANA name.</param>
/// <param name="Networks">Static addresses.</param>
/// <param name="Files">Written last.</param>
/// <param name="FirstBootScript">With its interpreter line; written for the Slave, which runs it once.</param>
/// <param name="UserData">Of cloud-init, which the image must have.</param>
public sealed record SystemProfile(
    IReadOnlyList<SystemUser> Users, string Locale, SystemKeyboard? Keyboard, string TimeZone, SystemWireless? Wireless,
    IReadOnlyList<SystemNetwork> Networks, IReadOnlyList<SystemFile> Files, string FirstBootScript, string UserData)
{
    // A record would print its secrets.
    public override string ToString() => nameof(SystemProfile);
}

/// <summary>A user of the installed system.</summary>
/// <param name="FullName">Empty: as it is.</param>
/// <param name="Groups">Beside those that he is in; what the image lacks is made.</param>
/// <param name="Shell">Absolute path; empty: as it is, for a new user /bin/bash or /bin/sh.</param>
/// <param name="Sudo">May do everything, without a password.</param>
/// <param name="AuthorizedKeys">OpenSSH public keys; none: as they are.</param>
/// <param name="PasswordHash">As crypt(5) has it; empty: as it is, and a new user has none.</param>
public sealed record SystemUser(
    string Name, string FullName, IReadOnlyList<string> Groups, string Shell, bool Sudo, IReadOnlyList<string> AuthorizedKeys,
    string PasswordHash)
{
    public override string ToString() => $"{nameof(SystemUser)} {Name}";
}

/// <summary>As keyboard(5) names it.</summary>
/// <param name="Layout">"de".</param>
/// <param name="Model">"pc105".</param>
/// <param name="Variant">May be empty, as <paramref name="Options"/>.</param>
public sealed record SystemKeyboard(string Layout, string Model, string Variant, string Options);

/// <summary>A wireless network.</summary>
/// <param name="Country">Two letters, by which the radio obeys the law.</param>
/// <param name="Passphrase">Of WPA; empty: an open network.</param>
public sealed record SystemWireless(string Ssid, string Country, string Passphrase, bool Hidden)
{
    public override string ToString() => $"{nameof(SystemWireless)} {Ssid}";
}

/// <summary>The static address of one interface.</summary>
/// <param name="Interface">Kernel name ("eth0"), or its MAC address ("dc:a6:32:01:02:03").</param>
/// <param name="Address">"10.0.0.5/24".</param>
/// <param name="Gateway">May be empty.</param>
/// <param name="Dns">May be empty.</param>
public sealed record SystemNetwork(string Interface, string Address, string Gateway, IReadOnlyList<string> Dns);

/// <summary>A file of the installed system.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Owner">Name of a user.</param>
/// <param name="Group">Name of a group.</param>
/// <param name="Mode">Permission bits.</param>
public sealed record SystemFile(string Path, string Content, string Owner, string Group, int Mode)
{
    public override string ToString() => $"{nameof(SystemFile)} {Path}";
}
