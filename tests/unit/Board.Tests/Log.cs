namespace Bootstrap.Board.Tests;

/// <summary>What a part of the Slave says, for tests to read while it says more.</summary>
internal sealed class Log
{
    private readonly List<string> _lines = [];

    /// <summary>What it has said so far.</summary>
    public string[] Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>Takes a line.</summary>
    public void Add(string line)
    {
        lock (_lines)
        {
            _lines.Add(line);
        }
    }
}
