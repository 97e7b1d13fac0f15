using System.Globalization;
using Bootstrap.Board;
using Bootstrap.Protocol.Link;
using static Bootstrap.Installer.SystemConfiguration;

namespace Bootstrap.Installer;

/// <summary>Users and groups of a system that does not run: passwd(5), shadow(5), group(5), gshadow(5).</summary>
internal sealed partial class ProfileAccounts
{
    // Of Debian's adduser; what useradd has on other systems.
    private const uint FirstUser = KeptArchive.FirstPerson, LastUser = KeptArchive.LastPerson, FirstSystemGroup = 100,
        LastSystemGroup = 999;

    /// <summary>A password that no input gives: logging in with keys stays possible, which '!' may forbid.</summary>
    private const string NoPassword = "*";

    private readonly RootedFolder _root;
    private readonly Action<string> _log;
    private readonly List<string[]> _passwd, _shadow, _group, _gshadow;

    public ProfileAccounts(RootedFolder root, Action<string> log)
    {
        (_root, _log) = (root, log);
        (_passwd, _shadow, _group, _gshadow) = (Read("/etc/passwd"), Read("/etc/shadow"), Read("/etc/group"), Read("/etc/gshadow"));
    }

    /// <summary>Makes a user with his home, or changes one that the image has. <see cref="Save"/> writes the accounts.</summary>
    public void Apply(SystemUser user)
    {
        string[]? known = Find(_passwd, user.Name, 7);
        string[] entry = known ?? Make(user.Name);
        if (user.FullName.Length > 0)
        {
            // The other words of this field are phone numbers, and stay.
            string[] words = entry[4].Split(',');
            words[0] = user.FullName;
            entry[4] = string.Join(',', words);
        }
        entry[6] = user.Shell.Length > 0 ? user.Shell : entry[6];
        if (!_root.Exists(entry[6]))
        {
            _log($"the image has no {entry[6]}, the shell of {user.Name}: he cannot log in until it is installed");
        }
        foreach (string group in user.Groups)
        {
            Join(user.Name, group);
        }
        SetPassword(user);
        var owner = new FileOwner(uint.Parse(entry[2], CultureInfo.InvariantCulture), uint.Parse(entry[3], CultureInfo.InvariantCulture));
        string home = entry[5];
        if (!_root.Exists(home))
        {
            _root.MakeFolder(home, OwnerFolder, owner);
            CopyFolder("/etc/skel", home, owner);
        }
        if (user.AuthorizedKeys.Count > 0)
        {
            string ssh = $"{home.TrimEnd('/')}/.ssh";
            _root.MakeFolder(ssh, OwnerFolder, owner);
            WriteText(_root, $"{ssh}/authorized_keys", string.Concat(user.AuthorizedKeys.Select(key => key.Trim() + '\n')), OwnerFile,
                owner);
        }
        // sudo passes over files with a dot in their name.
        string rule = $"/etc/sudoers.d/010-bootstrap-{user.Name.Replace('.', '_')}";
        if (user.Sudo)
        {
            WriteText(_root, rule, $"{user.Name} ALL=(ALL:ALL) NOPASSWD: ALL\n", 0x120); // 0440
        }
        else if (_root.Exists(rule))
        {
            _root.Delete(rule);
        }
    }

    /// <summary>Writes what was changed. Owner and mode of what was there stay.</summary>
    public void Save()
    {
        Write("/etc/passwd", _passwd, PublicFile);
        Write("/etc/shadow", _shadow, 0x1a0); // 0640
        Write("/etc/group", _group, PublicFile);
        if (_gshadow.Count > 0)
        {
            Write("/etc/gshadow", _gshadow, 0x1a0);
        }
    }

    /// <summary>Whose a file is.</summary>
    /// <exception cref="InstallException">The image has no such user or group, and the profile makes none.</exception>
    public FileOwner OwnerNamed(SystemFile file) =>
        new(Number(_passwd, file.Owner, "user", file.Path), Number(_group, file.Group, "group", file.Path));

    private static uint Number(List<string[]> entries, string name, string what, string path) =>
        Find(entries, name, 3) is { } entry && uint.TryParse(entry[2], CultureInfo.InvariantCulture, out uint number)
            ? number
            : throw new InstallException(
            $"{path} is to belong to the {what} '{name}', whom neither the image nor the profile has", final: true);

    private string[] Make(string name)
    {
        uint number = FreeNumber(FirstUser, LastUser, _passwd, _group);
        string text = number.ToString(CultureInfo.InvariantCulture);
        if (Find(_group, name, 4) is { } own)
        {
            string[] entry = [name, "x", text, own[2], "", $"/home/{name}", DefaultShell];
            _passwd.Add(entry);
            return entry;
        }
        AddGroup(name, text);
        string[] made = [name, "x", text, text, "", $"/home/{name}", DefaultShell];
        _passwd.Add(made);
        return made;
    }

    private string DefaultShell => _root.Exists("/bin/bash") ? "/bin/bash" : "/bin/sh";

    private void Join(string user, string group)
    {
        if (Find(_group, group, 4) is null)
        {
            AddGroup(group, FreeNumber(FirstSystemGroup, LastSystemGroup, _group).ToString(CultureInfo.InvariantCulture));
        }
        foreach (string[]? entry in new[] { Find(_group, group, 4), Find(_gshadow, group, 4) })
        {
            if (entry is not null && !entry[3].Split(',').Contains(user))
            {
                entry[3] = entry[3].Length == 0 ? user : $"{entry[3]},{user}";
            }
        }
    }

    private void AddGroup(string name, string number)
    {
        _group.Add([name, "x", number, ""]);
        if (_gshadow.Count > 0)
        {
            _gshadow.Add([name, "!", "", ""]);
        }
    }

    private void SetPassword(SystemUser user)
    {
        if (Find(_shadow, user.Name, 3) is not { } entry)
        {
            // Days since 1970 of the last change: none, so that it is not asked for.
            entry = [user.Name, NoPassword, "", "0", "99999", "7", "", "", ""];
            _shadow.Add(entry);
        }
        if (user.PasswordHash.Length > 0)
        {
            entry[1] = user.PasswordHash;
            // 0 there means "must be changed at once".
            entry[2] = "";
            Find(_passwd, user.Name, 7)![1] = "x";
        }
    }

    private static uint FreeNumber(uint first, uint last, params List<string[]>[] files)
    {
        HashSet<uint> taken = [.. files.SelectMany(file => file).Where(entry => entry.Length > 2)
            .Select(entry => uint.TryParse(entry[2], CultureInfo.InvariantCulture, out uint number) ? number : 0)];
        for (uint number = first; number <= last; number++)
        {
            if (!taken.Contains(number))
            {
                return number;
            }
        }
        throw new InstallException($"the image has no number free for another user or group from {first} to {last}", final: true);
    }

    private void CopyFolder(string from, string to, FileOwner owner)
    {
        foreach (string name in _root.Names(from))
        {
            string source = $"{from}/{name}", target = $"{to}/{name}";
            if (_root.IsFolder(source, follow: false))
            {
                _root.MakeFolder(target, Executable, owner);
                CopyFolder(source, target, owner);
            }
            else if (!_root.IsFolder(source, follow: true) && _root.Read(source) is var (content, mode))
            {
                _root.WriteFile(target, content, mode, owner);
            }
        }
    }

    private static string[]? Find(List<string[]> entries, string name, int fields) =>
        entries.FirstOrDefault(entry => entry.Length >= fields && entry[0] == name);

    private List<string[]> Read(string path) => Parse(_root.ReadText(path) ?? "");

    internal static List<string[]> Parse(string text) =>
        [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(':'))];

    private void Write(string path, List<string[]> entries, int mode) =>
        WriteText(_root, path, string.Concat(entries.Select(entry => string.Join(':', entry) + '\n')), _root.Read(path)?.Mode ?? mode,
        _root.OwnerOf(path));
}
