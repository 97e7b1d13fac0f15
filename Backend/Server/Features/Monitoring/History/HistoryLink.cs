using Bootstrap.Protocol.Link;
using Bootstrap.Protocol.Status;
using Bootstrap.Server.Features.Nodes;
using Microsoft.Extensions.Logging;

namespace Bootstrap.Server.Features.Monitoring.History;

/// <summary>Takes what nodes measured. A minute that cannot be believed is left out, and said in the log.</summary>
internal sealed partial class HistoryLink(HistoryStore history, ILogger<HistoryLink> logger) : ILinkFeature
{
    public void Introduced(LinkSession session)
    {
    }

    public bool Heard(LinkSession session, LinkMessage message)
    {
        if (message is not StatusMinutes minutes)
        {
            return false;
        }
        foreach (MinuteSummary minute in minutes.Minutes.Take(StatusMinutes.Most))
        {
            if (history.Add(session.Node, Known(minute)) is { } fault)
            {
                LogRefused(session.Node, fault);
                break;
            }
        }
        return true;
    }

    /// <summary>A newer Slave measures what is not known here: that is left out, and the rest kept.</summary>
    private static MinuteSummary Known(MinuteSummary minute) => minute with
    {
        Values = minute.Values.Where(value => Metrics.Find(value.Key) is { IsKept: true }).ToDictionary(),
    };

    [LoggerMessage(LogLevel.Warning, "What {Node} measured is not kept: {Reason}")]
    private partial void LogRefused(Bootstrap.Protocol.Ids.NodeId node, string reason);
}
