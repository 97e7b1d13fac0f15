using System.Buffers.Text;
using System.Runtime.InteropServices;
using Bootstrap.Protocol.Status;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Board.Sampling;

/// <summary>
/// Counts what the kernel complains of, from the oldest message that it still holds on (Documentation/ABI/testing/dev-kmsg). Of memory that
/// ran out it keeps a count of its own (/proc/vmstat, oom_kill; Linux 4.13 and later), which is exact.
/// </summary>
internal sealed class KernelLogSource(string root) : ISource
{
    /// <summary>A machine that complains without end is not listened to without end.</summary>
    private const int MostRecords = 4096;

    private const int LongestShown = 256;

    private readonly KeptFile _vmStat = new(Path.Combine(root, "proc/vmstat"));
    private SafeFileHandle? _log;
    private double _oomKills, _fileSystemErrors, _cardErrors;
    private double? _countedKills;
    private bool _killsMayHaveRisen = true;

    /// <summary>The last of these complaints, for people; null: none was heard.</summary>
    public string? LastError { get; private set; }

    public void Scan()
    {
        const int flags = Linux.O_RDONLY | Linux.O_NONBLOCK | Linux.O_CLOEXEC;
        if (_log is null && Linux.Open(Path.Combine(root, "dev/kmsg"), flags, 0) is >= 0 and var file)
        {
            _log = new SafeFileHandle(file, ownsHandle: true);
        }
    }

    public void Read(Sample sample)
    {
        double errors = _fileSystemErrors;
        ReadLog(sample.Buffer);
        sample.HasFileSystemError = _fileSystemErrors > errors;
        if (_killsMayHaveRisen || sample.IsSlow)
        {
            _killsMayHaveRisen = false;
            _countedKills = null;
            var lines = new Lines(sample.Buffer.AsSpan(0, _vmStat.Read(sample.Buffer)));
            while (lines.Next(out ReadOnlySpan<byte> line))
            {
                if (line.StartsWith("oom_kill "u8))
                {
                    var words = new Words(line[9..]);
                    _countedKills = words.Next(out ulong kills) ? kills : null;
                }
            }
        }
        sample.Set(Metrics.OomKills, _countedKills ?? (_log is null ? null : _oomKills));
        if (_log is not null)
        {
            sample.Set(Metrics.FileSystemErrors, _fileSystemErrors);
            sample.Set(Metrics.CardErrors, _cardErrors);
        }
    }

    /// <summary>One reading gives one record; a fresh one starts at the oldest.</summary>
    private unsafe void ReadLog(Span<byte> buffer)
    {
        for (int i = 0; _log is not null && i < MostRecords; i++)
        {
            nint length;
            fixed (byte* p = buffer)
            {
                length = Linux.Read((int)_log.DangerousGetHandle(), p, buffer.Length);
            }
            if (length <= 0)
            {
                // EPIPE: messages were overwritten before they were read; the next reading goes on behind the gap.
                if (length < 0 && Marshal.GetLastPInvokeError() is Linux.EPIPE or Linux.EINTR)
                {
                    continue;
                }
                return;
            }
            var lines = new Lines(buffer[..(int)length]);
            while (lines.Next(out ReadOnlySpan<byte> line))
            {
                Hear(line);
            }
        }
    }

    /// <summary><c>3,1234,5678901,-;EXT4-fs error (device mmcblk0p2): …</c>; lines that begin with a blank tell more of the one
    /// before.</summary>
    private void Hear(ReadOnlySpan<byte> line)
    {
        int at = line.IndexOf((byte)';');
        // Other than the kernel nobody can write for facility 0, so programs cannot make it up.
        if (at < 0 || !Utf8Parser.TryParse(line, out uint priority, out _) || priority >> 3 != 0)
        {
            return;
        }
        ReadOnlySpan<byte> text = line[(at + 1)..];
        switch (KernelMessage.KindOf(text))
        {
            case KernelMessageKind.OomKill: _oomKills++; _killsMayHaveRisen = true; break;
            case KernelMessageKind.FileSystemError: _fileSystemErrors++; break;
            case KernelMessageKind.CardError: _cardErrors++; break;
            default: return;
        }
        LastError = Words.Shown(text[..Math.Min(text.Length, LongestShown)]);
    }

    public void Write(MetricsWriter writer)
    {
        if (_countedKills is { } kills)
        {
            writer.Single("node_vmstat_oom_kill", "untyped", "/proc/vmstat information field oom_kill.", kills);
        }
        if (_log is not null)
        {
            writer.Family("bootstrap_kernel_errors_total", "counter", "Complaints of the kernel since boot, as far as its log reaches.");
            writer.Value("bootstrap_kernel_errors_total", _oomKills, ("kind", "oom-kill"));
            writer.Value("bootstrap_kernel_errors_total", _fileSystemErrors, ("kind", "file-system"));
            writer.Value("bootstrap_kernel_errors_total", _cardErrors, ("kind", "card"));
        }
    }

    public void Dispose()
    {
        _vmStat.Dispose();
        _log?.Dispose();
        _log = null;
    }
}
