using System.Text.Json;

namespace Bootstrap.Rack;

/// <summary>Something that happened to a board.</summary>
/// <param name="At">When.</param>
/// <param name="Name">power-on, dhcp-discover, dhcp-offer, dhcp-bound, tftp, card-boot, network-boot, boot-failed, qemu-start, reset,
/// power-off.</param>
/// <param name="Details">The rest of the event, by name.</param>
public sealed record BoardEvent(DateTimeOffset At, string Name, IReadOnlyDictionary<string, string> Details)
{
    /// <summary>A detail, or the empty string.</summary>
    public string this[string detail] => Details.GetValueOrDefault(detail, "");

    internal static BoardEvent Parse(string line)
    {
        using JsonDocument json = JsonDocument.Parse(line);
        return new BoardEvent(json.RootElement.GetProperty("at").GetDateTimeOffset(), json.RootElement.GetProperty("event").GetString()!,
            json.RootElement.EnumerateObject().ToDictionary(p => p.Name, p => p.Value.ToString()));
    }
}

/// <summary>A board in a rack. Its card stays when it is disposed.</summary>
public sealed class VirtualBoard : IAsyncDisposable
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(100);

    private readonly RackProcess _process;

    internal VirtualBoard(BoardOptions options, RackProcess process)
    {
        Options = options;
        _process = process;
    }

    public BoardOptions Options { get; }

    /// <summary>All that happened so far.</summary>
    public IReadOnlyList<BoardEvent> Events => [.. _process.Output.Lines.Select(BoardEvent.Parse)];

    /// <summary>All that its serial console has printed, over resets.</summary>
    public string ConsoleText
    {
        get
        {
            if (!File.Exists(Options.Log))
            {
                return "";
            }
            using var reader = new StreamReader(new FileStream(Options.Log, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            return reader.ReadToEnd();
        }
    }

    /// <summary>0 when the board has switched itself off, 137 after a power cut; else its machine failed, and <see cref="Errors"/> says
    /// why.</summary>
    public Task<int> Exited => _process.Exited;

    /// <summary>Why its machine failed.</summary>
    public string Errors => string.Join('\n', _process.Errors.Lines);

    /// <summary>The first event, past or to come, of this name that meets a condition.</summary>
    /// <param name="from">Number of events from the beginning to pass over.</param>
    /// <exception cref="RackException">The board ended first.</exception>
    public Task<BoardEvent> WaitForEventAsync(string name, CancellationToken cancel, Func<BoardEvent, bool>? condition = null,
        int from = 0) =>
        _process.Output.WaitForAsync(line => BoardEvent.Parse(line) is var e && e.Name == name && condition?.Invoke(e) != false ? e : null,
            cancel, from);

    /// <summary>Waits until the console has printed a text.</summary>
    /// <param name="from">Number of characters from the beginning to pass over.</param>
    /// <exception cref="RackException">The board ended first.</exception>
    public async Task WaitForConsoleAsync(string text, CancellationToken cancel, int from = 0)
    {
        while (ConsoleText.IndexOf(text, from, StringComparison.Ordinal) < 0)
        {
            if (Exited.IsCompleted)
            {
                throw new RackException($"the board ended before its console printed '{text}': {Errors}");
            }
            await Task.Delay(s_look, TimeProvider.System, cancel);
        }
    }

    /// <summary>
    /// Pulls the plug. When this returns the machine is gone and what it had written is in the card's file; plug it in again by
    /// <see cref="VirtualRack.StartBoardAsync"/> with the same options.
    /// </summary>
    /// <returns>137.</returns>
    public Task<int> PowerCutAsync()
    {
        // The board's own process is the first of its tree: the kernel ends it only after every other, QEMU among them, is gone.
        BoardEvent? on = Events.FirstOrDefault(e => e.Name == "power-on");
        int first = on is null ? _process.ProcessId : int.Parse(on["pid"], System.Globalization.CultureInfo.InvariantCulture);
        return _process.SignalAsync(first, Native.SigKill);
    }

    public async ValueTask DisposeAsync()
    {
        await PowerCutAsync();
        await _process.DisposeAsync();
        if (Directory.Exists(Options.Card + ".boot"))
        {
            Directory.Delete(Options.Card + ".boot", recursive: true);
        }
    }
}
