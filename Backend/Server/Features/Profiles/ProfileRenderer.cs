using System.Text.Json;
using Bootstrap.Protocol;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Server.Features.Profiles;

/// <summary>A fault of a profile.</summary>
/// <param name="Place">As in the profile's JSON: "files[0].path".</param>
/// <param name="Reason">Without the sentence's end.</param>
internal sealed record ProfileFault(string Place, string Reason)
{
    /// <summary>The first faults, as sentences.</summary>
    public static string Sentences(IReadOnlyList<ProfileFault> faults)
    {
        const int most = 5;
        string text = string.Join(' ', faults.Take(most).Select(f => $"{f.Place}: {f.Reason}."));
        return faults.Count > most ? $"{text} And {faults.Count - most} more." : text;
    }
}

/// <summary>A profile as one node gets it.</summary>
internal sealed record RenderedProfile(string HostName, SystemProfile System, IReadOnlyList<string> Packages);

/// <summary>
/// Puts a node's values into a profile and looks at every part. Without a node it looks at what can be known without one: whatever has no
/// variables, and that all variables can be something.
/// </summary>
internal sealed class ProfileRenderer
{
    /// <summary>So that the order fits into one message of the link, beside what else is in it.</summary>
    private const int MaximumBytes = LinkMessage.MaximumBytes - (64 << 10);

    private readonly Profile _profile;
    private readonly ProfileSecrets _secrets;
    private readonly ProfileScope? _scope;
    private readonly List<ProfileFault> _faults = [];
    private string? _hostName;

    private ProfileRenderer(Profile profile, ProfileSecrets secrets, ProfileScope? scope) =>
        (_profile, _secrets, _scope) = (profile, secrets, scope);

    /// <summary>What is wrong with a profile for all nodes; secrets are looked at here alone.</summary>
    /// <param name="profile">Settled.</param>
    public static IReadOnlyList<ProfileFault> Check(Profile profile, ProfileSecrets secrets)
    {
        var renderer = new ProfileRenderer(profile, secrets, null);
        renderer.CheckFixed();
        renderer.Render();
        return renderer._faults;
    }

    /// <summary>A profile for one node.</summary>
    /// <param name="profile">Settled and checked.</param>
    /// <param name="faults">What is wrong, where null is returned.</param>
    public static RenderedProfile? Render(Profile profile, ProfileSecrets secrets, ProfileScope scope,
        out IReadOnlyList<ProfileFault> faults)
    {
        var renderer = new ProfileRenderer(profile, secrets, scope);
        RenderedProfile rendered = renderer.Render();
        faults = renderer._faults;
        return faults.Count == 0 ? rendered : null;
    }

    private RenderedProfile Render()
    {
        string hostName = Text("hostName", _profile.HostName, ProfileRules.HostName);
        _hostName = hostName;
        var system = new SystemProfile(
            Each("users", _profile.Users!, User),
            Optional("locale", _profile.Locale, ProfileRules.Locale),
            _profile.Keyboard is { } keyboard ? Keyboard(keyboard) : null,
            Optional("timeZone", _profile.TimeZone, ProfileRules.TimeZone),
            _profile.Wifi is { } wifi ? Wireless(wifi) : null,
            Each("networks", _profile.Networks!, Network),
            Each("files", _profile.Files!, File),
            Optional("firstBootScript", _profile.FirstBootScript, ProfileRules.Script, maySecrets: true),
            Optional("cloudInit", _profile.CloudInit, ProfileRules.UserData, maySecrets: true));
        IReadOnlyList<string> packages = Each("packages", _profile.Packages!,
            (place, package) => Text(place, package, ProfileRules.Package));
        RefuseTwice("networks", system.Networks.Select(n => n.Interface));
        RefuseTwice("files", system.Files.Select(f => f.Path));
        if (system.Wireless is null
            && system.Networks.FirstOrDefault(n => n.Interface.StartsWith("wl", StringComparison.Ordinal)) is { } unjoined)
        {
            Fault("networks", $"{unjoined.Interface} is a wireless interface, and the profile has no 'wifi' for it to join");
        }
        int length = JsonSerializer.SerializeToUtf8Bytes(system, ProtocolJson.Default.SystemProfile).Length;
        if (length > MaximumBytes)
        {
            Fault("files", $"the whole profile has {length} bytes of {MaximumBytes} that are possible: deploy large files by a job");
        }
        return new RenderedProfile(hostName, system, packages);
    }

    /// <summary>What no node changes.</summary>
    private void CheckFixed()
    {
        Fixed("name", _profile.Name, ProfileRules.Name);
        for (int i = 0; i < _profile.Users!.Count; i++)
        {
            Fixed($"users[{i}].name", _profile.Users[i].Name, ProfileRules.Account);
            Fixed($"users[{i}].passwordHash", _secrets.PasswordHash(_profile.Users[i].Name), hash => hash.Length == 0 ? ""
                : ProfileRules.PasswordHash(hash));
        }
        RefuseTwice("users", _profile.Users.Select(u => u.Name));
        Fixed("wifi.passphrase", _secrets.Passphrase, passphrase => passphrase.Length == 0 ? "" : ProfileRules.Passphrase(passphrase));
        for (int i = 0; i < _profile.KeptPaths!.Count; i++)
        {
            Fixed($"keptPaths[{i}]", _profile.KeptPaths[i], ProfileRules.Path);
        }
        foreach (string name in _profile.Values!.Keys)
        {
            Fixed($"values.{name}", name, ProfileRules.ValueName);
        }
        foreach (string name in _secrets.Names)
        {
            Fixed($"secrets.{name}", name, ProfileRules.ValueName);
        }
    }

    private SystemUser User(string place, ProfileUser user) => new(
        user.Name,
        Optional($"{place}.fullName", user.FullName, ProfileRules.FullName),
        Each($"{place}.groups", user.Groups!, (at, group) => Text(at, group, ProfileRules.Account)),
        Optional($"{place}.shell", user.Shell, ProfileRules.Shell),
        user.Sudo,
        Each($"{place}.keys", user.Keys!, (at, key) => Text(at, key, ProfileRules.Key)),
        _secrets.PasswordHash(user.Name));

    private SystemKeyboard Keyboard(ProfileKeyboard keyboard) => new(
        Text("keyboard.layout", keyboard.Layout, layout => layout.Length == 0 ? "a keyboard has a layout, such as de"
            : ProfileRules.Keyboard(layout)),
        Text("keyboard.model", keyboard.Model, ProfileRules.Keyboard),
        Text("keyboard.variant", keyboard.Variant, ProfileRules.Keyboard),
        Text("keyboard.options", keyboard.Options, ProfileRules.Keyboard));

    private SystemWireless Wireless(ProfileWireless wifi) => new(
        Text("wifi.ssid", wifi.Ssid, ProfileRules.Ssid), Text("wifi.country", wifi.Country, ProfileRules.Country), _secrets.Passphrase,
        wifi.Hidden);

    private SystemNetwork Network(string place, ProfileNetwork network)
    {
        var read = new SystemNetwork(
            Text($"{place}.interface", network.Interface, ProfileRules.Interface),
            Text($"{place}.address", network.Address, ProfileRules.Network),
            Optional($"{place}.gateway", network.Gateway, ProfileRules.Address),
            Each($"{place}.dns", network.Dns!, (at, server) => Text(at, server, ProfileRules.Address)));
        if (read is { Address.Length: > 0, Gateway.Length: > 0 }
            && ProfileRules.Gateway(read.Gateway, read.Address) is { Length: > 0 } fault)
        {
            Fault($"{place}.gateway", fault);
        }
        return read;
    }

    private SystemFile File(string place, ProfileFile file)
    {
        string owner = Text($"{place}.owner", file.Owner, ProfileRules.Owner), mode = Text($"{place}.mode", file.Mode, ProfileRules.Mode);
        string[] names = owner.Split(':');
        return new SystemFile(
            Text($"{place}.path", file.Path, ProfileRules.Path),
            file.Template ? Text($"{place}.content", file.Content, _ => "", maySecrets: true) : file.Content,
            names[0], names[^1], ProfileRules.Mode(mode).Length == 0 ? Convert.ToInt32(mode, 8) : 0);
    }

    private string Optional(string place, string template, Func<string, string> rule, bool maySecrets = false) =>
        template.Length == 0 ? "" : Text(place, template, rule, maySecrets);

    /// <summary>A template with its variables replaced; empty where that cannot be known yet, or is at fault.</summary>
    private string Text(string place, string template, Func<string, string> rule, bool maySecrets = false)
    {
        string text = Template.Fill(template, name => Variable(name, maySecrets), out string fault);
        bool isOpen = _scope is null && Template.HasVariables(template);
        if (fault.Length == 0 && !isOpen)
        {
            fault = text.Contains('\0', StringComparison.Ordinal) ? "there is a NUL character in it" : rule(text);
        }
        if (fault.Length == 0)
        {
            return isOpen ? "" : text;
        }
        Fault(place, fault);
        return "";
    }

    private (string Value, string Fault) Variable(string name, bool maySecrets)
    {
        string[] words = name.Split('.');
        switch (words[0])
        {
            case "node" when words[1] == ProfileScope.HostName && _hostName is not null:
                return (_hostName, "");
            case "node" when words[1] == ProfileScope.HostName:
                return ("", "the host name cannot be made of itself");
            case "node" when !ProfileScope.IsFact(words[1]):
                return ("", $"there is no variable '{name}': of a node there are {string.Join(", ", ProfileScope.FactNames)}");
            case "node":
                return _scope?.Fact(words[1]) ?? ("", "");
            case "value":
                return _scope?.Value(words[1], _profile.Values!) ?? ("", "");
            case "secret" when !maySecrets:
                return ("", $"'{name}' is a secret, which only the content of files, the first-boot script and user-data can have");
            default:
                return _secrets.Named(words[1]) is { } secret ? (secret, "") : ("", $"there is no secret '{words[1]}' in this profile");
        }
    }

    private static List<TOut> Each<TIn, TOut>(string place, IReadOnlyList<TIn> items, Func<string, TIn, TOut> render) =>
        [.. items.Select((item, i) => render($"{place}[{i}]", item))];

    private void RefuseTwice(string place, IEnumerable<string> names)
    {
        if (names.Where(name => name.Length > 0).GroupBy(name => name).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            Fault(place, $"'{twice.Key}' is there more than once");
        }
    }

    private void Fixed(string place, string text, Func<string, string> rule)
    {
        if (rule(text) is { Length: > 0 } fault)
        {
            Fault(place, fault);
        }
    }

    private void Fault(string place, string reason) => _faults.Add(new ProfileFault(place, reason));
}
