namespace Bootstrap.Board.Tests;

/// <summary>Discovery from C, C++, Python and Java: the same calls do the same in all of them.</summary>
public sealed class ClientTests : IAsyncLifetime, IClassFixture<ClientPrograms>
{
    private LoopbackSlave _slave = null!;

    public async ValueTask InitializeAsync() => _slave = await LoopbackSlave.StartAsync();

    public ValueTask DisposeAsync() => _slave.DisposeAsync();

    [Theory]
    [InlineData("c")]
    [InlineData("cpp")]
    [InlineData("python")]
    [InlineData("java")]
    public async Task A_program_finds_nodes_and_what_it_publishes_is_found_until_it_dies(string language)
    {
        using ClientConsole publisher = ClientPrograms.Start(language, _slave.SocketPath),
            other = ClientPrograms.Start(language, _slave.SocketPath);
        const string node = "this-node this-host 127.0.0.1 slave/test/this-host", service = "compiler abi=9 town=Málaga";
        Assert.Equal([node + " slave"], await publisher.DoAsync("marco"));
        Assert.Empty(await publisher.DoAsync("request_for compiler"));
        Assert.Equal(["compiler"], await publisher.DoAsync("publish compiler param=abi:9 param=town:Málaga"));

        Assert.Equal([$"{node} {service}"], await other.DoAsync("request_for compiler"));
        Assert.Single(await other.DoAsync("request_for compiler param=abi:9"));
        Assert.Empty(await other.DoAsync("request_for compiler param=abi:8"));
        Assert.Single(await other.DoAsync("marco nodes=this-node max_nodes=1 timeout=20000 retries=20"));
        Assert.Equal(["error \"maxNodes\" is 1 or more"], await other.DoAsync("marco max_nodes=0"));
        Assert.Empty(await other.DoAsync("marco nodes=that-node retries=1"));
        Assert.Empty(await other.DoAsync("marco exclude=this-host retries=1"));
        Assert.Equal(["slave", service], await other.DoAsync("services this-host"));

        Assert.Equal(["error another program offers 'compiler'"], await other.DoAsync("publish compiler"));
        Assert.Equal(["error this program has not published 'compiler'"], await other.DoAsync("unpublish compiler"));
        Assert.StartsWith("error no node", Assert.Single(await other.DoAsync("services that-host")));
        Assert.Equal(["second"], await publisher.DoAsync("publish second"));
        Assert.Equal(["second"], await publisher.DoAsync("unpublish second"));

        publisher.Kill();
        await LoopbackSlave.UntilAsync(() => _slave.Registry.Current.Count == 1);
        Assert.Empty(await other.DoAsync("request_for compiler"));
        Assert.Equal(["Join this-node"], await other.DoAsync("watch"));
        Assert.Equal(0, await other.EndAsync());
    }

    [Theory]
    [InlineData("c")]
    [InlineData("cpp")]
    [InlineData("python")]
    [InlineData("java")]
    public async Task A_Slave_that_ends_is_an_error_of_the_language_and_ends_no_program(string language)
    {
        await using LoopbackSlave slave = await LoopbackSlave.StartAsync();
        using ClientConsole program = ClientPrograms.Start(language, slave.SocketPath);
        Assert.Single(await program.DoAsync("marco"));
        await slave.StopAsync();
        Assert.StartsWith("error ", Assert.Single(await program.DoAsync("marco")));
        Assert.StartsWith("error ", Assert.Single(await program.DoAsync("publish compiler")));
        Assert.Equal(0, await program.EndAsync());
    }
}
