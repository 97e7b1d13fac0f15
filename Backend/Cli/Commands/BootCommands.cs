using System.CommandLine;
using System.Globalization;
using System.Net.ServerSentEvents;
using System.Text.Json;
using Bootstrap.Cli.Api;

namespace Bootstrap.Cli.Commands;

/// <summary><c>bootstrap boot</c>: who was seen booting from the network, what each does, and why one does not boot.</summary>
internal static class BootCommands
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    public static Command Create()
    {
        var board = new Argument<string>("board") { Description = "MAC address, serial number (8 hex digits), or the node's name or id." };
        var watched = new Argument<string?>("board")
        {
            Description = "Only this board; as in `boot explain`.",
            Arity = ArgumentArity.ZeroOrOne
        };
        return new Command("boot", "Boards that boot from the network: what they do, why one does not, and what they boot.")
        {
            BootSetCommands.Create(),
            new Command("list", "All boards that were seen booting.")
                .Lists<BootBoard>(_ => "boot/boards",
                ["MAC", new("NODE", 1), new("MODEL", 3), new("SERIAL", 5), new("EEPROM", 6), new("ADDRESS", 4), new("SEEN", 2), "STATE"],
                b => [b.Mac, b.Node ?? "", b.Model ?? b.Program, b.Serial ?? "", b.Eeprom ?? "", b.Address ?? "", Output.Time(b.LastSeen),
                    b.Headline]),
            new Command("watch", "Follow what boards do, one line for each step, until interrupted.") { watched }
                .Does((client, parsed, cancellation) =>
                WatchAsync(client, parsed.GetValue(watched), parsed.GetValue(ClientCommand.Json), cancellation)),
            new Command("explain", "Say how a board's last boot went, and what to change; exit code 1 if it is at fault.") { board }.Does(
                async (client, parsed, cancellation) => Explain(
                    await client.GetAsync<BootExplanation>($"boot/boards/{Uri.EscapeDataString(parsed.GetRequiredValue(board))}/explain",
                        cancellation), parsed)),
        };
    }

    private static int Explain(BootExplanation explanation, ParseResult parsed)
    {
        if (parsed.GetValue(ClientCommand.Json))
        {
            Output.Json(explanation);
        }
        else
        {
            Console.WriteLine($"{explanation.Board.Mac} {explanation.Board.Model ?? explanation.Board.Program}, boot of " +
                $"{Output.Time(explanation.StartedAt)}\n");
            Output.Findings(explanation.Findings);
        }
        return explanation.Findings.Any(f => f.Severity == "fault") ? 1 : 0;
    }

    private static async Task<int> WatchAsync(ApplianceClient client, string? board, bool json, CancellationToken cancellation)
    {
        string? mac = board is null ? null :
            (await client.GetAsync<BootExplanation>($"boot/boards/{Uri.EscapeDataString(board)}/explain", cancellation)).Board.Mac;
        try
        {
            await client.DownloadAsync("events", async (stream, _) =>
            {
                await foreach (SseItem<string> e in SseParser.Create(stream).EnumerateAsync(cancellation))
                {
                    if (e.EventType == "boot" && JsonSerializer.Deserialize<BootChange>(e.Data, s_json) is { } change
                        && (mac is null || change.Board.Mac == mac))
                    {
                        Print(change, json);
                    }
                }
            }, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            return 0; // the user has seen enough
        }
        throw new CliException("the appliance ended the stream of events: it was stopped; run the command again when it is back");
    }

    private static void Print(BootChange change, bool json)
    {
        foreach (JsonElement e in change.Events)
        {
            Console.WriteLine(json
                ? JsonSerializer.Serialize(new { change.Board.Mac, Event = e }, s_json)
                : $"{DateTimeOffset.FromUnixTimeMilliseconds(Number(e, "until")).LocalDateTime:HH:mm:ss.f} {change.Board.Mac} {Line(e)}");
        }
    }

    /// <summary>"DHCP discover, answered offer", "start4.elf completed, 2.3 MB", "net-inst".</summary>
    private static string Line(JsonElement e)
    {
        string times = Number(e, "count") is > 1 and var count ? string.Create(CultureInfo.InvariantCulture, $" × {count}") : "";
        return Text(e, "type") switch
        {
            "dhcp" => $"DHCP {Text(e, "asked")}, {(Text(e, "answered") is { } answer ? $"answered {answer}" : "not answered")}{times}",
            "file" => $"{Text(e, "protocol")?.ToUpperInvariant()} {Text(e, "path")} {Text(e, "outcome")}" +
                (Number(e, "bytes") is > 0 and var bytes
                    ? $", {Output.Bytes(bytes)} in {(Number(e, "until") - Number(e, "at")) / 1000.0:0.0} s" : "") + times +
                (Text(e, "detail") is { } detail ? $": {detail}" : ""),
            _ => $"link: {Text(e, "stage")}{times}{(Text(e, "detail") is { } detail ? $" ({detail})" : "")}",
        };
    }

    private static string? Text(JsonElement e, string name) => e.TryGetProperty(name, out JsonElement value) ? value.GetString() : null;

    private static long Number(JsonElement e, string name) => e.TryGetProperty(name, out JsonElement value) ? value.GetInt64() : 0;
}
