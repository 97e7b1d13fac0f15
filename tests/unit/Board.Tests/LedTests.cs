using System.Threading.Channels;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Board.Tests;

/// <summary>A folder stands for /sys: files there say what was written last.</summary>
public sealed class LedTests : IAsyncLifetime
{
    private const string Act = "sys/class/leds/ACT";

    private static readonly CancellationToken s_end = TestContext.Current.CancellationToken;

    private readonly FixtureRoot _root = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Channel<LocateAnswer> _answers = Channel.CreateUnbounded<LocateAnswer>();
    private LedBlinker _blinker = null!;
    private Task _running = Task.CompletedTask;

    private string Memory => Path.Combine(_root.Folder, "led");

    public ValueTask InitializeAsync()
    {
        _root.File($"{Act}/trigger", "none rfkill-any [mmc0] timer heartbeat\n").File($"{Act}/brightness", "0\n")
            .File($"{Act}/max_brightness", "255\n")
            .File($"{Act}/delay_on", "500\n").File($"{Act}/delay_off", "500\n");
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
        _root.Dispose();
    }

    [Fact]
    public async Task The_activity_LED_blinks_and_has_its_own_trigger_again_when_the_time_is_over()
    {
        _root.File("sys/class/leds/PWR/trigger", "none timer [default-on]\n").File("sys/class/leds/mmc0::/trigger", "none timer [mmc0]\n");
        Start();
        LocateAnswer answer = await AskAsync(1);
        Assert.Equal(("ACT", ""), (answer.Led, answer.Reason));
        await UntilAsync(() => Read("trigger") == "mmc0");
        Assert.Equal(("250", "250"), (Read("delay_on"), Read("delay_off")));
        await UntilAsync(() => !File.Exists(Memory));
    }

    [Fact]
    public async Task It_has_its_own_trigger_again_when_the_program_is_stopped_meanwhile()
    {
        Start();
        await AskAsync(3600);
        Assert.Equal("timer", Read("trigger"));
        await StopAsync();
        Assert.Equal("mmc0", Read("trigger"));
    }

    [Fact]
    public async Task It_has_its_own_trigger_again_at_the_next_start_of_a_program_that_was_killed()
    {
        _root.File("led", "ACT\nmmc0\n0\n").File($"{Act}/trigger", "none mmc0 [timer]\n");
        Start();
        await UntilAsync(() => Read("trigger") == "mmc0" && !File.Exists(Memory));
    }

    [Fact]
    public async Task It_is_ended_by_a_person()
    {
        Start();
        await AskAsync(3600);
        await AskAsync(0);
        Assert.Equal("mmc0", Read("trigger"));
    }

    [Fact]
    public async Task Without_a_timer_in_the_kernel_the_program_itself_blinks()
    {
        _root.File($"{Act}/trigger", "[none] mmc0\n").File($"{Act}/brightness", "7\n");
        Start();
        await AskAsync(3600);
        await UntilAsync(() => Read("brightness") == "255");
        await UntilAsync(() => Read("brightness") == "0");
        await StopAsync();
        Assert.Equal(("none", "7"), (Read("trigger"), Read("brightness")));
    }

    [Fact]
    public async Task A_board_without_an_activity_LED_says_so()
    {
        Directory.Move(Path.Combine(_root.Folder, Act), Path.Combine(_root.Folder, "sys/class/leds/input0::capslock"));
        Start();
        LocateAnswer answer = await AskAsync(5);
        Assert.Equal(("", "the board has no activity LED that its kernel can switch"), (answer.Led, answer.Reason));
    }

    [Fact]
    public async Task An_LED_that_cannot_be_written_is_told_and_left_as_it_was()
    {
        File.Delete(Path.Combine(_root.Folder, Act, "delay_off"));
        Start();
        Assert.StartsWith("the LED ACT cannot be switched: ", (await AskAsync(5)).Reason, StringComparison.Ordinal);
        await UntilAsync(() => Read("trigger") == "mmc0");
    }

    private void Start()
    {
        _blinker = new LedBlinker(_root.Folder, Memory, TimeProvider.System);
        _running = _blinker.RunAsync(answer => _answers.Writer.TryWrite(answer), _stop.Token);
    }

    private async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    private async Task<LocateAnswer> AskAsync(int seconds)
    {
        var order = new Locate(Guid.NewGuid(), seconds);
        _blinker.Ask(order);
        LocateAnswer answer = await _answers.Reader.ReadAsync(s_end);
        Assert.Equal(order.Id, answer.Id);
        return answer;
    }

    private string Read(string file) => File.ReadAllText(Path.Combine(_root.Folder, Act, file)).Trim();

    private static async Task UntilAsync(Func<bool> good)
    {
        while (!good())
        {
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, s_end);
        }
    }
}
