namespace Bootstrap.Board;

/// <summary>A kernel command line: words apart by blanks, <c>name</c> or <c>name=value</c>, in their order.</summary>
public sealed class KernelArguments
{
    private readonly string[] _words;

    private KernelArguments(string[] words) => _words = words;

    /// <summary>Splits a command line. Nothing is an error. Quoted blanks, which none of ours need, are not understood.</summary>
    public static KernelArguments Parse(string line) => new(line.Split((char[])[' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries));

    /// <summary>The last value given for a name, as the kernel itself takes it; null where there is none.</summary>
    public string? Value(string name) => Words(name).LastOrDefault()?[(name.Length + 1)..];

    /// <summary>Whole words <c>name=value</c> of a name that may stand more than once.</summary>
    public IEnumerable<string> Words(string name) => _words.Where(word => word.StartsWith(name + '=', StringComparison.Ordinal));

    /// <summary>True if the word stands there, alone or with a value.</summary>
    public bool Has(string name) => _words.Contains(name) || Words(name).Any();
}
