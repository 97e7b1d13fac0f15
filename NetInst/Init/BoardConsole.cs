using System.Globalization;
using System.Text;

namespace Bootstrap.Init;

/// <summary>
/// Shows lines on every console that the kernel has (screen and serial line): /dev/console alone would be the last of them.
/// </summary>
internal sealed class BoardConsole : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<FileStream> _screens = [];
    private readonly Func<double> _uptime;

    /// <param name="uptime">Seconds since the kernel started: lines carry them, as the kernel's own do.</param>
    public BoardConsole(Func<double> uptime)
    {
        _uptime = uptime;
        string active = File.Exists("/sys/class/tty/console/active") ? File.ReadAllText("/sys/class/tty/console/active") : "";
        string[] names = active.Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        foreach (string name in names.Length > 0 ? names : ["console"])
        {
            if (Path.Exists($"/dev/{name}"))
            {
                _screens.Add(new FileStream($"/dev/{name}", FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0));
            }
        }
    }

    public void WriteLine(string text)
    {
        byte[] line = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"[{_uptime(),9:0.00}] netinst: {text.ReplaceLineEndings(" ")}\r\n"));
        lock (_lock)
        {
            for (int i = _screens.Count - 1; i >= 0; i--)
            {
                try
                {
                    _screens[i].Write(line);
                }
                catch (IOException)
                {
                    // A serial adapter that was pulled out: the others go on.
                    _screens.RemoveAt(i);
                }
            }
        }
    }

    public void Dispose() => _screens.ForEach(screen => screen.Dispose());
}
