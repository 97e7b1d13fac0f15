using System.Globalization;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Installer;

/// <content>Accounts that come from an old system.</content>
internal sealed partial class ProfileAccounts
{
    /// <summary>
    /// Takes over the people of an old system whom this one lacks, with their numbers, passwords and groups. Whose name or number is taken
    /// by another is left out, and the log says so: his files keep their numbers. <see cref="Save"/> writes the accounts.
    /// </summary>
    /// <param name="old">Text of passwd, shadow, group and gshadow, as far as it is about people.</param>
    public void TakeOver(IReadOnlyDictionary<string, string> old)
    {
        foreach (string[] entry in Parse(old.GetValueOrDefault("group", ""))
            .Where(e => e.Length >= 4 && Find(_group, e[0], 4) is null && IsPersons(e[2])))
        {
            if (_group.Any(other => other.Length > 2 && other[2] == entry[2]))
            {
                _log($"the group {entry[0]} of the old system is not taken over: its number {entry[2]} is another one's in the new system");
                continue;
            }
            AddGroup(entry[0], entry[2]);
        }
        foreach (string[] entry in Parse(old.GetValueOrDefault("passwd", "")).Where(e => e.Length >= 7 && IsPersons(e[2])))
        {
            string name = entry[0];
            if (Find(_passwd, name, 7) is { } same)
            {
                if (same[2] != entry[2])
                {
                    _log($"{name} has the number {same[2]} in the new system, and " +
                        $"had {entry[2]} in the old one: files keep the old number");
                }
                continue;
            }
            if (_passwd.Any(other => other.Length > 2 && other[2] == entry[2]))
            {
                _log($"the user {name} of the old system is not taken over: the number {entry[2]} is another one's in the new system");
                continue;
            }
            if (!_root.Exists(entry[6]))
            {
                _log($"the image has no {entry[6]}, the shell of {name}: he cannot log in until it is installed");
            }
            _passwd.Add(entry);
            _shadow.RemoveAll(e => e[0] == name);
            _shadow.Add(Parse(old.GetValueOrDefault("shadow", "")).FirstOrDefault(e => e[0] == name) ??
                [name, NoPassword, "", "0", "99999", "7", "", "", ""]);
            // Of groups of the system, those that this one has.
            foreach (string[] group in Parse(old.GetValueOrDefault("group", ""))
                .Where(e => e.Length >= 4 && e[3].Split(',').Contains(name) && Find(_group, e[0], 4) is not null))
            {
                Join(name, group[0]);
            }
        }
    }

    internal static bool IsPersons(string number) =>
        uint.TryParse(number, CultureInfo.InvariantCulture, out uint id) && id is >= KeptArchive.FirstPerson and <= KeptArchive.LastPerson;
}
