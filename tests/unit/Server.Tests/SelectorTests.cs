using System.Text.Json;
using Bootstrap.Server.Features.Nodes;

namespace Bootstrap.Server.Tests;

/// <summary>Words choose the same nodes here as on the page, whose tests read the same cases.</summary>
public sealed class SelectorTests
{
    private sealed record Case(string Query, bool Taken);

    [Fact]
    public void Words_choose_what_they_choose_on_the_page()
    {
        using JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "selectors.json")));
        NodeView node = file.RootElement.GetProperty("node").Deserialize<NodeView>(ApiJson.Options)!;
        Case[] cases = file.RootElement.GetProperty("cases").Deserialize<Case[]>(ApiJson.Options)!;
        Assert.NotEmpty(cases);
        Assert.All(cases, c => Assert.Equal((c.Query, c.Taken), (c.Query, NodeSelector.Parse(c.Query).Matches(node))));
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    public void Nothing_said_chooses_nobody(string query)
    {
        using JsonDocument file = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "selectors.json")));
        Assert.False(NodeSelector.Parse(query).Matches(file.RootElement.GetProperty("node").Deserialize<NodeView>(ApiJson.Options)!));
    }
}
