using System.Globalization;
using System.Text;

namespace Bootstrap.Init;

/// <summary>
/// Shows lines on every console that the kernel has, for /dev/console alone would be the last of them; and on the screen (tty1), where
/// a board has one that is no console.
/// </summary>
public sealed class BoardConsole : IDisposable
{
    private readonly Lock _lock = new();
    private readonly List<FileStream> _screens = [];
    private readonly Func<double> _uptime;

    /// <param name="root">"/" but in tests.</param>
    /// <param name="uptime">Seconds since the kernel started: lines carry them, as the kernel's own do.</param>
    public BoardConsole(string root, Func<double> uptime)
    {
        _uptime = uptime;
        string active = Path.Combine(root, "sys/class/tty/console/active");
        List<string> names = [.. File.Exists(active)
            ? File.ReadAllText(active).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries) : ["console"]];
        // tty0 is whichever virtual terminal is shown: tty1, for nobody switches here.
        if (!names.Contains("tty0") && !names.Contains("tty1"))
        {
            names.Add("tty1");
        }
        foreach (string device in names.Select(name => Path.Combine(root, "dev", name)).Where(Path.Exists))
        {
            try
            {
                _screens.Add(new FileStream(device, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0));
            }
            catch (IOException)
            {
                // A terminal without hardware behind it (ENXIO, EIO): the others show the lines.
            }
        }
    }

    public void WriteLine(string text)
    {
        byte[] line = Encoding.UTF8.GetBytes(
            string.Create(CultureInfo.InvariantCulture, $"[{_uptime(),9:0.00}] netinst: {text.ReplaceLineEndings(" ")}\r\n"));
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
