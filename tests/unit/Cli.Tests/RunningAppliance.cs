using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;

namespace Bootstrap.Cli.Tests;

/// <summary><c>bootstrap serve</c> as a process of its own, on free ports of loopback.</summary>
internal sealed class RunningAppliance : IAsyncDisposable
{
    private readonly Process _process;

    private RunningAppliance(Process process, int https, int http, int link) => (_process, Https, Http, Link) = (process, https, http,
        link);

    public int Pid => _process.Id;

    public int Https { get; }

    public int Http { get; }

    public int Link { get; }

    /// <summary>What it has printed, both streams.</summary>
    public ConcurrentQueue<string> Lines { get; } = new();

    /// <summary>Arguments of a <c>serve</c> that listens on free ports of loopback alone.</summary>
    public static (string[] Arguments, int Https, int Http, int Link) Arguments(string data)
    {
        (int https, int http, int link) = (FreePort(), FreePort(), FreePort());
        return (["serve", "--data", data, "--https", $"127.0.0.1:{https}", "--http", $"127.0.0.1:{http}", "--link", $"127.0.0.1:{link}",
            "--tftp", "off", "--dhcp", "off", "--interface", "lo"], https, http, link);
    }

    /// <summary>Starts one, and returns when it is ready.</summary>
    /// <param name="wrapper">What starts it, such as a shell that sets a limit; it must become the program itself (exec).</param>
    /// <param name="more">More arguments.</param>
    public static async Task<RunningAppliance> StartAsync(string data, string[]? wrapper = null, params string[] more)
    {
        (string[] arguments, int https, int http, int link) = Arguments(data);
        string[] command = [.. wrapper ?? [], CommandLine.Program, .. arguments, .. more];
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardOutput = true, RedirectStandardError = true },
        };
        var appliance = new RunningAppliance(process, https, http, link);
        var ready = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Take(string? line)
        {
            if (line is not null)
            {
                appliance.Lines.Enqueue(line);
                if (line.StartsWith("ready ", StringComparison.Ordinal))
                {
                    ready.TrySetResult(true);
                }
            }
        }
        process.OutputDataReceived += (_, e) => Take(e.Data);
        process.ErrorDataReceived += (_, e) => Take(e.Data);
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => ready.TrySetResult(false);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        if (!await ready.Task.WaitAsync(TestContext.Current.CancellationToken))
        {
            await process.WaitForExitAsync(TestContext.Current.CancellationToken);
            throw new InvalidOperationException($"the appliance ended with {process.ExitCode}: {string.Join('\n', appliance.Lines)}");
        }
        return appliance;
    }

    /// <summary>True if it has not ended.</summary>
    public bool Lives => !_process.HasExited;

    /// <summary>Its resident memory, in bytes.</summary>
    public long Memory()
    {
        string line = File.ReadLines($"/proc/{Pid}/status").First(l => l.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2],
            System.Globalization.CultureInfo.InvariantCulture) * 1024;
    }

    /// <summary>A client of its API that believes any certificate: it is on loopback.</summary>
    public HttpClient CreateClient(string? token)
    {
        var handler = new SocketsHttpHandler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, _, _, _) => true;
        var client = new HttpClient(handler) { BaseAddress = new Uri($"https://127.0.0.1:{Https}/api/v1/") };
        client.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return client;
    }

    /// <summary>Ends it in the middle of what it does (SIGKILL).</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (Lives)
        {
            _process.Kill();
        }
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
