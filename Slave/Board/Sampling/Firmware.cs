using System.Buffers.Binary;
using System.Buffers.Text;
using Microsoft.Win32.SafeHandles;

namespace Bootstrap.Board.Sampling;

/// <summary>Asks the firmware of a Pi, as vcgencmd does.</summary>
internal interface IFirmware : IDisposable
{
    /// <summary>Asks one question.</summary>
    /// <param name="command">Such as <c>get_throttled</c>.</param>
    /// <returns>The answer's length; 0 where there is none.</returns>
    int Ask(ReadOnlySpan<byte> command, Span<byte> answer);
}

/// <summary>
/// The property channel of a Pi's firmware through /dev/vcio (drivers/char/broadcom/vcio.c): one request is a list of tags, and the tag
/// GET_GENCMD_RESULT carries a line of text each way. The kernel gives up on a firmware that is silent for a second.
/// </summary>
internal sealed class FirmwareMailbox(string path) : IFirmware
{
    private const uint GetGenCmdResult = 0x00030080;

    private const int TextSize = 1024, TextAt = 24, Size = TextAt + TextSize + 4;

    private readonly byte[] _request = new byte[Size];
    private SafeFileHandle? _device;

    /// <summary>_IOWR(100, 0, char *).</summary>
    private static nuint PropertyRequest => (nuint)(0xC0000000 | (uint)nint.Size << 16 | 100 << 8);

    public unsafe int Ask(ReadOnlySpan<byte> command, Span<byte> answer)
    {
        if (_device is null)
        {
            int file = Linux.Open(path, Linux.O_RDONLY | Linux.O_NONBLOCK | Linux.O_CLOEXEC, 0);
            if (file < 0)
            {
                return 0;
            }
            _device = new SafeFileHandle(file, ownsHandle: true);
        }
        Span<byte> request = _request;
        request.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(request, Size);
        BinaryPrimitives.WriteUInt32LittleEndian(request[8..], GetGenCmdResult);
        BinaryPrimitives.WriteUInt32LittleEndian(request[12..], TextSize);
        command.CopyTo(request[TextAt..]);
        fixed (byte* p = _request)
        {
            if (Linux.IoCtl((int)_device.DangerousGetHandle(), PropertyRequest, p) < 0 ||
                BinaryPrimitives.ReadUInt32LittleEndian(request[(TextAt - 4)..]) != 0)
            {
                return 0;
            }
        }
        ReadOnlySpan<byte> text = request.Slice(TextAt, TextSize);
        int length = text.IndexOf((byte)0);
        text = text[..Math.Min(length < 0 ? TextSize : length, answer.Length)];
        text.CopyTo(answer);
        return text.Length;
    }

    public void Dispose()
    {
        _device?.Dispose();
        _device = null;
    }
}

/// <summary>What the firmware's answers say.</summary>
internal static class FirmwareAnswer
{
    /// <summary><c>frequency(48)=1500345728</c>, in hertz; null where it says something else.</summary>
    public static ulong? Frequency(ReadOnlySpan<byte> answer) =>
        answer.StartsWith("frequency("u8) && answer.IndexOf((byte)'=') is > 0 and var at &&
        Utf8Parser.TryParse(answer[(at + 1)..], out ulong hertz, out _) && hertz > 0 ? hertz : null;

    /// <summary><c>throttled=0x50005</c>.</summary>
    public static uint? Throttled(ReadOnlySpan<byte> answer)
    {
        ReadOnlySpan<byte> prefix = "throttled=0x"u8;
        return answer.StartsWith(prefix) ? Bits(answer[prefix.Length..]) : null;
    }

    /// <summary>Hexadecimal digits, and nothing but the line's end behind them.</summary>
    public static uint? Bits(ReadOnlySpan<byte> text)
    {
        text = text.Trim(" \n\r\t\0"u8);
        return Utf8Parser.TryParse(text, out uint bits, out int read, 'x') && read == text.Length ? bits : null;
    }

    /// <summary>A line of <c>pmic_read_adc</c>: <c>EXT5V_V volt(24)=5.04912000V</c>, <c>VDD_CORE_A current(7)=1.22563800A</c>.</summary>
    /// <param name="rail">Without the letter of what is measured.</param>
    /// <returns>False where it says something else.</returns>
    public static bool TryRail(ReadOnlySpan<byte> line, out ReadOnlySpan<byte> rail, out bool isCurrent, out double value)
    {
        rail = default;
        value = 0;
        isCurrent = false;
        line = line.Trim(" \r\t"u8);
        int at = line.IndexOf((byte)'=');
        int end = line.IndexOf((byte)' ');
        if (at < 0 || end is < 3 || end > at || line.Length - at < 3)
        {
            return false;
        }
        isCurrent = line[^1] == 'A';
        rail = line[..end];
        if (line[^1] is not ((byte)'A' or (byte)'V') || rail[^1] != line[^1] || rail[^2] != '_')
        {
            return false;
        }
        rail = rail[..^2];
        return Words.TryDouble(line[(at + 1)..^1], out value);
    }
}
