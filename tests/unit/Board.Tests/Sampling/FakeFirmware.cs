using System.Text;
using Bootstrap.Board.Sampling;

namespace Bootstrap.Board.Tests.Sampling;

/// <summary>Answers as a Pi's firmware does to vcgencmd.</summary>
internal sealed class FakeFirmware : IFirmware
{
    public Dictionary<string, string> Answers { get; } = [];

    public int Ask(ReadOnlySpan<byte> command, Span<byte> answer)
    {
        if (!Answers.TryGetValue(Encoding.UTF8.GetString(command), out string? text))
        {
            return 0;
        }
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int length = Math.Min(bytes.Length, answer.Length);
        bytes.AsSpan(0, length).CopyTo(answer);
        return length;
    }

    public void Dispose()
    {
        // It holds nothing.
    }
}
