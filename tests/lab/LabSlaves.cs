namespace Bootstrap.Lab.Tests;

/// <summary>Some Slaves of one rack.</summary>
internal sealed class LabSlaves : IAsyncDisposable
{
    private readonly List<LabSlave> _all = [];

    /// <summary>In the order in which they were started.</summary>
    public IReadOnlyList<LabSlave> All => _all;

    /// <summary>Starts them, and returns when the appliance is connected with all.</summary>
    /// <param name="alone">Each on a machine of its own.</param>
    public async Task StartAsync(Lab lab, int count, bool alone = false)
    {
        for (int number = 1; number <= count; number++)
        {
            _all.Add(await LabSlave.StartAsync(lab, number, alone));
        }
        await lab.WaitForAsync("all Slaves", "nodes", nodes => nodes.AsArray().Count(n => n.Text("link") == "slave") == count);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (LabSlave slave in _all)
        {
            await slave.DisposeAsync();
        }
    }
}
