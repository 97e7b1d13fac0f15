using Bootstrap.Protocol.Status;

namespace Bootstrap.Board.Sampling;

/// <summary>What a machine tells in words.</summary>
internal sealed class FactReader(string root) : IDisposable
{
    private readonly KeptFile _hostName = new(Path.Combine(root, "proc/sys/kernel/hostname"));
    private readonly string? _kernel = KeptFile.LineOf(Path.Combine(root, "proc/sys/kernel/osrelease")),
        _version = KeptFile.LineOf(Path.Combine(root, "proc/sys/kernel/version")),
        _domain = KeptFile.LineOf(Path.Combine(root, "proc/sys/kernel/domainname")),
        _bootId = KeptFile.LineOf(Path.Combine(root, "proc/sys/kernel/random/boot_id"), 64);

    private readonly string _bootloader = new BoardReader(root).ReadFirmware();
    private Dictionary<string, string> _facts = [];

    /// <summary>Those that are known. As long as nothing changes it is the same object.</summary>
    /// <param name="changing">What others have read; null: unknown.</param>
    public IReadOnlyDictionary<string, string> Read(ReadOnlySpan<(string Fact, string? Value)> changing)
    {
        Span<byte> buffer = stackalloc byte[256];
        ReadOnlySpan<byte> name = buffer[.._hostName.Read(buffer)].Trim((byte)'\n');
        string? known = _facts.GetValueOrDefault(StatusFact.HostName);
        string? hostName = known is not null && System.Text.Ascii.Equals(name, known) ? known : name.Length > 0 ? Words.Shown(name) : null;
        bool isSame = _facts.Count > 0 && hostName == known;
        foreach ((string fact, string? value) in changing)
        {
            isSame &= _facts.GetValueOrDefault(fact) == value;
        }
        if (!isSame)
        {
            var facts = new Dictionary<string, string>();
            foreach ((string fact, string? value) in (ReadOnlySpan<(string, string?)>)
                [(StatusFact.HostName, hostName), (StatusFact.Kernel, _kernel), (StatusFact.BootId, _bootId),
                (StatusFact.Bootloader, _bootloader.Length > 0 ? Words.Shown(_bootloader) : null), .. changing])
            {
                if (value is not null)
                {
                    facts[fact] = value;
                }
            }
            // A new one each time: the old one is in somebody's hands.
            _facts = facts;
        }
        return _facts;
    }

    public void Dispose() => _hostName.Dispose();

    public void Write(MetricsWriter writer)
    {
        string machine = BoardReader.Architecture switch
        {
            "arm64" => "aarch64",
            "amd64" => "x86_64",
            "armhf" => "armv7l",
            var other => other,
        };
        writer.Family("node_uname_info", "gauge", "Labeled system information as provided by the uname system call.");
        writer.Value("node_uname_info", 1, ("domainname", _domain ?? "(none)"),
            ("machine", machine), ("nodename", _facts.GetValueOrDefault(StatusFact.HostName) ?? ""), ("release", _kernel ?? ""),
            ("sysname", "Linux"), ("version", _version ?? ""));
    }
}
