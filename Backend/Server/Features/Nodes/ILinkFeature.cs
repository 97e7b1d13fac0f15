using Bootstrap.Protocol.Link;

namespace Bootstrap.Server.Features.Nodes;

/// <summary>A feature that speaks with nodes over their links and stands above them.</summary>
internal interface ILinkFeature
{
    /// <summary>A node is connected and has been introduced.</summary>
    void Introduced(LinkSession session);

    /// <summary>A node said something. It is trusted to be that node, and no further.</summary>
    /// <returns>False: it is for others.</returns>
    /// <exception cref="System.Text.Json.JsonException">It makes no sense: the link is cut.</exception>
    bool Heard(LinkSession session, LinkMessage message);
}
