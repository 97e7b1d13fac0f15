using System.Globalization;
using System.Threading.Channels;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Board;

/// <summary>
/// Blinks the board's activity LED, and gives it back to the trigger that it had before: at the end, when this program ends, and, where a
/// file remembers it, at the next start of a program that was killed in between. One loop owns the LED.
/// </summary>
/// <param name="root">"/" but in tests.</param>
/// <param name="memory">File that remembers the LED's own trigger while it blinks; null: nothing does (the memory of NetInst goes with
/// it).</param>
/// <param name="clock">Times blinking.</param>
public sealed class LedBlinker(string root, string? memory, TimeProvider clock)
{
    private const string Leds = "sys/class/leds";
    private const string Timer = "timer";

    private static readonly TimeSpan s_half = TimeSpan.FromMilliseconds(250);

    private readonly SysFile _sys = new(root);
    private readonly Channel<Locate> _orders = Channel.CreateUnbounded<Locate>();

    /// <summary>An LED as it was before.</summary>
    private sealed record Led(string Name, string Trigger, string Brightness);

    /// <summary>Asks for blinking, or for its end; the answer comes from the loop.</summary>
    public void Ask(Locate order) => _orders.Writer.TryWrite(order);

    /// <summary>Obeys until it is cancelled; the LED has its own trigger again by then.</summary>
    public async Task RunAsync(Action<LocateAnswer> answer, CancellationToken cancellation)
    {
        RestoreRemembered();
        Locate? order = null;
        while (true)
        {
            try
            {
                order ??= await _orders.Reader.ReadAsync(cancellation).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }
            order = await ObeyAsync(order, answer, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Blinks until the time is over; gives the order that ended it earlier.</summary>
    private async Task<Locate?> ObeyAsync(Locate order, Action<LocateAnswer> answer, CancellationToken cancellation)
    {
        if (Find() is not { } led)
        {
            answer(new LocateAnswer(order.Id, "", "the board has no activity LED that its kernel can switch"));
            return null;
        }
        if (order.Seconds <= 0)
        {
            answer(new LocateAnswer(order.Id, led.Name, ""));
            return null;
        }
        bool answered = false;
        try
        {
            bool byKernel = Start(led);
            answer(new LocateAnswer(order.Id, led.Name, ""));
            answered = true;
            return await WaitAsync(led, byKernel, TimeSpan.FromSeconds(Math.Min(order.Seconds, Locate.MaximumSeconds)), cancellation)
                .ConfigureAwait(false);
        }
        catch (IOException e)
        {
            // Later than that it went with its device: nobody waits for an answer any more.
            if (!answered)
            {
                answer(new LocateAnswer(order.Id, "", $"the LED {led.Name} cannot be switched: {e.Message}"));
            }
            return null;
        }
        finally
        {
            Restore(led);
        }
    }

    /// <summary>By the names of Raspberry Pi's kernels of today and of once, then whatever says that it shows activity, then a card
    /// slot's.</summary>
    private Led? Find()
    {
        IReadOnlyList<string> names = _sys.Names(Leds);
        string? name = names.FirstOrDefault(n => n == "ACT") ?? names.FirstOrDefault(n => n == "led0") ??
            names.FirstOrDefault(n => n.EndsWith(":activity", StringComparison.Ordinal) || n.EndsWith(":act", StringComparison.Ordinal)) ??
            names.FirstOrDefault(n => n.StartsWith("mmc0:", StringComparison.Ordinal));
        return name is null ? null : new Led(name, Current(Triggers(name)), _sys.Text($"{Leds}/{name}/brightness") ?? "0");
    }

    private string[] Triggers(string led) => _sys.Text($"{Leds}/{led}/trigger")?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];

    /// <summary>"none [mmc0] timer": the one in brackets.</summary>
    private static string Current(string[] triggers) => triggers.FirstOrDefault(t => t.StartsWith('['))?.Trim('[', ']') ?? "none";

    /// <summary>True if the kernel blinks from now on; false if it must be switched on and off.</summary>
    private bool Start(Led led)
    {
        if (memory is not null)
        {
            File.WriteAllText(memory, $"{led.Name}\n{led.Trigger}\n{led.Brightness}\n");
        }
        if (!Triggers(led.Name).Any(t => t.Trim('[', ']') == Timer))
        {
            _sys.Write($"{Leds}/{led.Name}/trigger", "none");
            return false;
        }
        string half = s_half.TotalMilliseconds.ToString(CultureInfo.InvariantCulture);
        _sys.Write($"{Leds}/{led.Name}/trigger", Timer);
        _sys.Write($"{Leds}/{led.Name}/delay_on", half);
        _sys.Write($"{Leds}/{led.Name}/delay_off", half);
        return true;
    }

    private async Task<Locate?> WaitAsync(Led led, bool byKernel, TimeSpan time, CancellationToken cancellation)
    {
        string bright = _sys.Text($"{Leds}/{led.Name}/max_brightness") ?? "1";
        long started = clock.GetTimestamp();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task<Locate> next = _orders.Reader.ReadAsync(stop.Token).AsTask();
        for (bool on = true; clock.GetElapsedTime(started) is var passed && passed < time; on = !on)
        {
            if (!byKernel)
            {
                _sys.Write($"{Leds}/{led.Name}/brightness", on ? bright : "0");
            }
            TimeSpan rest = time - passed;
            Task pause = Task.Delay(byKernel || rest < s_half ? rest : s_half, clock, stop.Token);
            if (await Task.WhenAny(next, pause).ConfigureAwait(false) == next || cancellation.IsCancellationRequested)
            {
                break;
            }
        }
        await stop.CancelAsync().ConfigureAwait(false);
        await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return next.IsCompletedSuccessfully ? await next.ConfigureAwait(false) : null;
    }

    private void Restore(Led led)
    {
        try
        {
            _sys.Write($"{Leds}/{led.Name}/trigger", led.Trigger);
            if (led.Trigger == "none")
            {
                _sys.Write($"{Leds}/{led.Name}/brightness", led.Brightness);
            }
        }
        catch (IOException)
        {
            // It is gone with its device, or was never ours to write.
        }
        if (memory is not null)
        {
            File.Delete(memory);
        }
    }

    private void RestoreRemembered()
    {
        if (memory is not null && File.Exists(memory) && File.ReadAllLines(memory) is [var name, var trigger, var brightness, ..] &&
            _sys.Names(Leds).Contains(name))
        {
            Restore(new Led(name, trigger, brightness));
        }
    }
}
