using System.Globalization;

namespace Bootstrap.Agent.Commands;

/// <summary>A user of this machine, as /etc/passwd has it (passwd(5)).</summary>
internal sealed record Account(string Name, uint User, uint Group, string Home, string Shell)
{
    public const string Root = "root";

    /// <summary>The user of that name.</summary>
    /// <exception cref="IOException">There is none.</exception>
    public static Account Find(string name) => File.ReadLines("/etc/passwd").Select(Read).FirstOrDefault(account => account?.Name == name)
        ?? throw new IOException($"this node has no user '{name}'");

    /// <summary>Number of a group, as /etc/group has it (group(5)).</summary>
    /// <exception cref="IOException">There is none of that name.</exception>
    public static uint GroupOf(string name)
    {
        foreach (string line in File.ReadLines("/etc/group"))
        {
            if (line.Split(':') is [var group, _, var number, ..] && group == name &&
                uint.TryParse(number, CultureInfo.InvariantCulture, out uint id))
            {
                return id;
            }
        }
        throw new IOException($"this node has no group '{name}'");
    }

    private static Account? Read(string line) =>
        line.Split(':') is [var name, _, var user, var group, _, var home, var shell] &&
        uint.TryParse(user, CultureInfo.InvariantCulture, out uint userId) &&
        uint.TryParse(group, CultureInfo.InvariantCulture, out uint groupId)
            ? new Account(name, userId, groupId, home, shell)
            : null;
}
