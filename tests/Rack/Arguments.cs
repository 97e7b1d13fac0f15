using System.Globalization;

namespace Bootstrap.Rack;

/// <summary>The command line: <c>--name value</c> pairs, and after <c>--</c> a command.</summary>
internal sealed class Arguments
{
    private readonly Dictionary<string, string> _values = [];

    public Arguments(IReadOnlyList<string> arguments)
    {
        for (int i = 0; i < arguments.Count; i++)
        {
            if (arguments[i] == "--")
            {
                Command = [.. arguments.Skip(i + 1)];
                return;
            }
            if (!arguments[i].StartsWith("--", StringComparison.Ordinal) || i + 1 == arguments.Count)
            {
                throw new RackException($"'{arguments[i]}' is not an option with a value");
            }
            _values[arguments[i][2..]] = arguments[++i];
        }
    }

    public string[] Command { get; } = [];

    public string? Find(string name) => _values.Remove(name, out string? value) ? value : null;

    public string Get(string name) => Find(name) ?? throw new RackException($"--{name} is missing");

    public long GetNumber(string name, long otherwise) => Find(name) is not { } text ? otherwise :
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number
            : throw new RackException($"--{name} {text} is not a number");

    /// <summary>Refuses what nobody has asked for.</summary>
    public void End()
    {
        if (_values.Count > 0)
        {
            throw new RackException($"--{_values.Keys.First()} is unknown");
        }
    }
}
