using System.Net;

namespace Bootstrap.Netboot.Dhcp;

/// <summary>A client's message.</summary>
/// <param name="From">Where it came from.</param>
/// <param name="At">The interface that heard it.</param>
internal sealed record DhcpQuestion(DhcpMessage Message, DhcpMessageType Type, IPEndPoint From, DhcpInterface At);

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

    /// <summary>The client asks again: in another transaction this is what is to be answered; in the same it is a repetition.</summary>
    /// <returns>False: the answer is on its way.</returns>
    public bool TryReplace(DhcpQuestion later)
    {
        lock (_lock)
        {
            if (!_closed && later.Message.TransactionId != _newest.Message.TransactionId)
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
