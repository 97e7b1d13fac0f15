using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Bootstrap.Agent;
using Bootstrap.Agent.Commands;
using Bootstrap.Link;
using Bootstrap.Protocol.Ids;
using Bootstrap.Protocol.Link;
using Bootstrap.Support;

namespace Bootstrap.Server.Tests;

/// <summary>Work that an appliance orders and a Slave does, with real programs.</summary>
public abstract class WorkJobTest : ApplianceTest
{
    private protected static readonly CancellationToken s_end = TestContext.Current.CancellationToken;
    private protected static readonly NodeId s_id = NodeId.Parse("10000000cccc0001");

    private protected string Folder { get; } = Directory.CreateTempSubdirectory("test-work-").FullName;

    private protected string Bin => Path.Combine(Folder, "bin");

    private protected string Root => Path.Combine(Folder, "root");

    private protected SlaveUnderTest Slave { get; set; } = null!;

    public override async ValueTask InitializeAsync()
    {
        await base.InitializeAsync();
        ECDsa key = NodeIdentity.CreateKey();
        EnrolResponse answer = await SimulatedNode.EnrolAsync(Appliance.Info, key, SimulatedNode.InventoryOf(s_id, "arm64"), s_end);
        using var identity = NodeIdentity.Create(answer.Certificate, key);
        identity.Save(Path.Combine(Folder, NodeFiles.Identity));
        await File.WriteAllTextAsync(Path.Combine(Folder, NodeFiles.Authority), Appliance.Info.Authority.ExportCertificatePem(), s_end);
        Slave = Start();
    }

    public override async ValueTask DisposeAsync()
    {
        await Slave.DisposeAsync();
        await base.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    /// <param name="bootId">Of the kernel: another one than before says that the machine was restarted.</param>
    private protected SlaveUnderTest Start(string bootId = "boot") =>
        new(s_id, IdentityKeeper.Open(Folder, Appliance.Info.Authority, _ => { }, TimeProvider.System), Appliance.Info,
        Path.Combine(Folder, "tasks"), TimeProvider.System, Power, Machine, bootId);

    /// <summary>Restarts it, or does not.</summary>
    private protected virtual ISystemPower? Power => null;

    /// <summary>The machine that the Slave works on.</summary>
    private protected virtual NodeSystem Machine => NodeSystem.This;

    /// <summary>Orders it and gives the job's only task.</summary>
    /// <param name="retry">The retry policy; null: nothing is tried again.</param>
    private protected async Task<JsonNode> OrderAsync(string kind, object parameters, object? retry = null)
    {
        using HttpResponseMessage answer = await Api.PostAsJsonAsync("jobs",
            new { kind, nodes = new[] { s_id.ToString() }, parameters, retry }, s_end);
        JsonNode body = (await answer.Content.ReadFromJsonAsync<JsonNode>(s_end))!;
        Assert.True(answer.IsSuccessStatusCode, body.ToString());
        return body["tasks"]![0]!;
    }

    /// <summary>Orders it and waits for its end.</summary>
    private protected async Task<JsonNode> DoAsync(string kind, object parameters) => await EndOfAsync(await OrderAsync(kind, parameters));

    /// <summary>A program of the node's.</summary>
    private protected async Task ProgramAsync(string name, string shell)
    {
        Directory.CreateDirectory(Bin);
        string path = Path.Combine(Bin, name);
        await File.WriteAllTextAsync(path, $"#!/bin/sh\n{shell}\n", s_end);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    private protected Task<JsonNode> EndOfAsync(JsonNode task) =>
        Poll.UntilAsync(() => NowAsync(task), now => now["endedAt"] is not null, s_end);

    private protected async Task<JsonNode> NowAsync(JsonNode task) =>
        (await Api.GetFromJsonAsync<JsonNode>($"jobs/{task["jobId"]}", s_end))!["tasks"]![0]!;

    private protected async Task<string[]> LogAsync(JsonNode task) =>
        [.. (await Api.GetFromJsonAsync<JsonArray>($"tasks/{task["id"]}/log", s_end))!.Select(line => line!["line"]!.ToString())];

    /// <summary>Waits for a line of the task's log.</summary>
    private protected Task<string[]> SaysAsync(JsonNode task, string line) =>
        Poll.UntilAsync(() => LogAsync(task), lines => lines.Contains(line), s_end);

    private protected static (string State, string Cause, int? ExitCode) End(JsonNode task) =>
        (task["state"]!.ToString(), task["cause"]!.ToString(), (int?)task["exitCode"]);
}
