using System.Net;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>A client's message.</summary>
/// <param name="From">Where it came from.</param>
/// <param name="At">The interface that heard it.</param>
/// <param name="HeardAt">When, as a time stamp of the clock.</param>
internal sealed record DhcpQuestion(DhcpMessage Message, DhcpMessageType Type, IPEndPoint From, DhcpInterface At, long HeardAt)
{
    public DhcpClient Client { get; } = DhcpClient.Of(Message);
}

/// <summary>
/// A client's message whose answer waits, for a probe or a slow ROM's sake. A client that has begun anew meanwhile takes an answer to what
/// it asked first for another's.
/// </summary>
internal sealed class OpenQuestion(DhcpQuestion first)
{
    private readonly Lock _lock = new();
    private DhcpQuestion _newest = first;
    private bool _closed;

    /// <summary>What is to be answered now.</summary>
    public DhcpQuestion Newest
    {
        get
        {
            lock (_lock)
            {
                return _newest;
            }
        }
    }

    /// <summary>
    /// The client asks again: in another transaction this is what is to be answered; in the same it is a repetition. Not of a Pi 3's ROM,
    /// which has one number for all its transactions (raspberrypi/firmware#1265) and repeats nothing within the time that it is kept
    /// waiting: its power was cut, and an answer to what it asked before would come too soon for it.
    /// </summary>
    /// <returns>False: the answer is on its way.</returns>
    public bool TryReplace(DhcpQuestion later)
    {
        lock (_lock)
        {
            if (!_closed && (later.Client.IsPi3Rom || later.Message.TransactionId != _newest.Message.TransactionId))
            {
                _newest = later;
            }
            return !_closed;
        }
    }

    /// <summary>Ends with an answer to what is asked now.</summary>
    /// <returns>False: something else is asked by now.</returns>
    public bool TryClose(DhcpQuestion answered)
    {
        lock (_lock)
        {
            return _closed = ReferenceEquals(_newest, answered);
        }
    }
}
