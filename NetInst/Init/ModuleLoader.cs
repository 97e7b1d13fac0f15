using Bootstrap.Board;

namespace Bootstrap.Init;

/// <summary>Loads kernel modules: a list first, then whatever the devices that turn up ask for (there is no udev here).</summary>
internal sealed class ModuleLoader(Action<string> log)
{
    private static readonly EnumerationOptions s_walk = new()
    {
        RecurseSubdirectories = true,
        IgnoreInaccessible = true,
        // sysfs links go in circles.
        AttributesToSkip = FileAttributes.ReparsePoint,
    };

    private readonly string _folder = $"/lib/modules/{File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}";
    private readonly HashSet<string> _seen = [];
    private readonly HashSet<string> _tried = [];
    private ModuleIndex? _index;

    private ModuleIndex Index => _index ??= ModuleIndex.Read(_folder);

    /// <summary>Modules that were loaded so far.</summary>
    public int Loaded { get; private set; }

    /// <summary>Loads the modules that a file names, one a line; those that are built in are skipped.</summary>
    public void LoadList(string file)
    {
        if (File.Exists(file))
        {
            foreach (string module in File.ReadLines(file).Select(line => line.Trim()).Where(line => line.Length > 0))
            {
                Load(module);
            }
        }
    }

    /// <summary>Loads what devices that were not there before ask for, until that brings no new devices.</summary>
    /// <returns>True if there was something new.</returns>
    public bool LoadForNewDevices()
    {
        bool any = false;
        while (NewDevices() is { Count: > 0 } devices)
        {
            foreach (string module in devices.SelectMany(Index.ModulesFor))
            {
                Load(module);
            }
            any = true;
        }
        return any;
    }

    private List<string> NewDevices()
    {
        var devices = new List<string>();
        foreach (string file in Directory.EnumerateFiles("/sys/devices", "modalias", s_walk))
        {
            try
            {
                string modalias = File.ReadAllText(file).Trim();
                if (modalias.Length > 0 && _seen.Add(modalias))
                {
                    devices.Add(modalias);
                }
            }
            catch (IOException)
            {
                // The device went away between listing and reading.
            }
        }
        return devices;
    }

    private void Load(string module)
    {
        foreach (string file in Index.FilesFor(module))
        {
            if (!_tried.Add(ModuleIndex.NameOf(file)))
            {
                continue;
            }
            int fd = Linux.Open(Path.Combine(_folder, file), Linux.O_RDONLY | Linux.O_CLOEXEC, 0);
            if (fd < 0)
            {
                log($"module {file} is missing");
                continue;
            }
            int result = Linux.LoadModule(fd);
            int errno = System.Runtime.InteropServices.Marshal.GetLastPInvokeError();
            _ = Linux.Close(fd);
            if (result >= 0)
            {
                Loaded++;
            }
            else if (errno != Linux.EEXIST)
            {
                log(new LinuxException($"loading module {file}", errno).Message);
            }
        }
    }
}
