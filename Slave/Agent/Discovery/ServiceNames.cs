using System.Text.RegularExpressions;

namespace Bootstrap.Agent.Discovery;

/// <summary>What services may be called.</summary>
public static partial class ServiceNames
{
    /// <summary>A name as it is told: <c>service</c> or <c>user:service</c>.</summary>
    public static bool IsName(string name) => NamePattern().IsMatch(name);

    /// <summary>
    /// The name under which a user's service is told. Root's are as they are; everybody else's begin with the user's name, so that nobody
    /// can pass his service off as the system's or another one's.
    /// </summary>
    /// <param name="service">As the program calls it, with or without its user's name.</param>
    /// <param name="userId">Of the program.</param>
    /// <param name="passwd">The file that names users.</param>
    /// <returns>Null where the program may not call it so.</returns>
    public static string? NameFor(string service, uint userId, string passwd = "/etc/passwd")
    {
        if (userId == 0)
        {
            return IsName(service) ? service : null;
        }
        string user = UserName(userId, passwd);
        string name = service.StartsWith(user + ":", StringComparison.Ordinal) ? service : $"{user}:{service}";
        return IsName(name) ? name : null;
    }

    private static string UserName(uint id, string passwd)
    {
        // A user of a directory service has no line there.
        foreach (string line in File.Exists(passwd) ? File.ReadLines(passwd) : [])
        {
            if (line.Split(':') is [var name, _, var number, ..] && number == $"{id}")
            {
                return name;
            }
        }
        return $"user{id}";
    }

    [GeneratedRegex(@"^([A-Za-z0-9_.-]{1,32}:)?[A-Za-z0-9_-]{1,30}\z")]
    private static partial Regex NamePattern();
}
