using System.Diagnostics;
using System.Text.Json;

namespace Bootstrap.Rack.Machine;

/// <summary>How a machine's run ended.</summary>
internal enum QemuEnd
{
    /// <summary>The guest has reset the machine.</summary>
    Reset,

    /// <summary>The guest has switched the machine off.</summary>
    PowerOff,
}

/// <summary>One run of QEMU, from power-on to the guest's reset or power-off.</summary>
internal static class Qemu
{
    /// <summary>Runs QEMU; talks QMP over its standard input and output.</summary>
    /// <exception cref="RackException">QEMU ended for another reason.</exception>
    public static async Task<QemuEnd> RunAsync(string[] command)
    {
        using Process qemu = Tool.Start(command);
        Task<string> errors = qemu.StandardError.ReadToEndAsync();
        await qemu.StandardInput.WriteLineAsync("""{"execute":"qmp_capabilities"}""");
        await qemu.StandardInput.FlushAsync();
        string? reason = null;
        while (await qemu.StandardOutput.ReadLineAsync() is { } line)
        {
            using JsonDocument message = JsonDocument.Parse(line);
            if (message.RootElement.TryGetProperty("event", out JsonElement name) && name.ValueEquals("SHUTDOWN"))
            {
                reason = message.RootElement.GetProperty("data").GetProperty("reason").GetString();
            }
        }
        await qemu.WaitForExitAsync();
        return reason switch
        {
            "guest-reset" => QemuEnd.Reset,
            "guest-shutdown" => QemuEnd.PowerOff,
            _ => throw new RackException($"QEMU ended with code {qemu.ExitCode} ({reason ?? "no reason"}): {(await errors).Trim()}"),
        };
    }
}
