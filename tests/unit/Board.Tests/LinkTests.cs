using System.Net;
using Bootstrap.Link;
using Bootstrap.Protocol.Link;

namespace Bootstrap.Board.Tests;

public sealed class LinkTests
{
    [Theory]
    [InlineData(0, 1.0, 1)]
    [InlineData(1, 1.0, 2)]
    [InlineData(5, 1.0, 32)]
    [InlineData(6, 1.0, 60)]
    [InlineData(1000, 1.0, 60)]
    [InlineData(6, 0.5, 30)]
    [InlineData(3, 0.0, 0.5)] // never at once
    public void Back_off_grows_to_a_minute_and_is_spread_out(int failures, double random, double seconds) =>
        Assert.Equal(TimeSpan.FromSeconds(seconds), BackOff.Delay(failures, random));

    [Theory]
    [InlineData("10.0.0.1", "10.0.0.1", 8444)]
    [InlineData("10.0.0.1:9000", "10.0.0.1", 9000)]
    [InlineData("[fd00::1]:9000", "fd00::1", 9000)]
    [InlineData("fd00::1", "fd00::1", 8444)]
    public void An_endpoint_is_an_address_with_or_without_a_port(string text, string address, int port)
    {
        Assert.True(ApplianceEndpoint.TryParse(text, out ApplianceEndpoint endpoint));
        Assert.Equal(new ApplianceEndpoint(IPAddress.Parse(address), port), endpoint);
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("appliance.local")]
    [InlineData("10.0.0.1:70000")]
    public void Text_that_is_no_address_is_no_endpoint(string? text) => Assert.False(ApplianceEndpoint.TryParse(text, out _));

    [Fact]
    public void The_outbox_drops_the_oldest_lines_and_never_a_task_message()
    {
        var outbox = new Outbox();
        var task = Guid.NewGuid();
        for (int i = 0; i < Outbox.MaximumLines + 7; i++)
        {
            outbox.AddLine(null, $"line {i}");
            outbox.Add(new TaskProgress(task, "writing", i, 2000, "bytes"));
        }
        outbox.Add(new TaskEnded(task, true, false, "", DiskState.Installed));
        Assert.Equal(7, outbox.Dropped);
        List<LinkMessage> sent = Drain(outbox);
        // Of a task's progress only the latest is news.
        Assert.Equal(new TaskProgress(task, "writing", Outbox.MaximumLines + 6, 2000, "bytes"), sent[0]);
        Assert.IsType<TaskEnded>(sent[1]);
        Assert.Equal(Enumerable.Range(7, Outbox.MaximumLines).Select(i => $"line {i}"), sent.OfType<LogLines>().SelectMany(m => m.Lines));
    }

    [Fact]
    public void A_goodbye_is_said_after_everything_else()
    {
        var outbox = new Outbox();
        outbox.AddLine(Guid.NewGuid(), "a task's");
        outbox.Add(new Goodbye("restart"));
        outbox.AddLine(null, "the node's");
        Assert.Equal([typeof(LogLines), typeof(LogLines), typeof(Goodbye)], Drain(outbox).Select(m => m.GetType()));
    }

    [Fact]
    public void What_was_not_sent_is_given_again()
    {
        var outbox = new Outbox();
        outbox.AddLine(null, "a");
        LinkMessage? first = outbox.Next();
        outbox.AddLine(null, "b");
        Assert.Same(first, outbox.Next());
        outbox.Sent();
        Assert.Equal(["b"], Assert.IsType<LogLines>(outbox.Next()).Lines);
    }

    [Fact]
    public void A_saved_identity_is_found_again_and_its_key_is_the_owners_alone()
    {
        string folder = Directory.CreateTempSubdirectory("identity-").FullName;
        using NodeIdentity identity = TestIdentity.Create("mac-525400000001");
        string path = Path.Combine(folder, NodeFiles.Identity);
        identity.Save(path);
        using NodeIdentity loaded = NodeIdentity.Load(path)!;
        Assert.Equal("mac-525400000001", loaded.Name);
        Assert.Equal(identity.Certificate.RawData, loaded.Certificate.RawData);
        Assert.Equal(identity.Pem, loaded.Pem);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(path));
        File.WriteAllText(path, "no PEM");
        Assert.Contains(path, Assert.Throws<IOException>(() => NodeIdentity.Load(path)).Message, StringComparison.Ordinal);
        Directory.Delete(folder, recursive: true);
        Assert.Null(NodeIdentity.Load(path));
    }

    private static List<LinkMessage> Drain(Outbox outbox)
    {
        var messages = new List<LinkMessage>();
        while (outbox.Next() is { } message)
        {
            messages.Add(message);
            outbox.Sent();
        }
        return messages;
    }
}
