using System.Net;

namespace Bootstrap.Protocol.Discovery;

/// <summary>
/// Puts a node's services together where one datagram has no room for all of them, which goes by the lengths of its names and of its
/// certificate. Not thread-safe.
/// </summary>
/// <param name="clock">Times questions that get no answer.</param>
internal sealed class ServiceRests(TimeProvider clock)
{
    /// <summary>Questions that are open at a time; services of one node; how often one is asked.</summary>
    private const int MostOpen = 4096, MostServices = 256, MostTries = 5;

    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    /// <summary>By the question's nonce.</summary>
    private readonly Dictionary<string, Rest> _open = [];

    private sealed record Rest(string Id, int State, IReadOnlyList<Service> Before, IPEndPoint To)
    {
        public int Tries { get; set; }

        public long AskedAt { get; set; }
    }

    /// <summary>Whether a question of this nonce is open.</summary>
    public bool IsAsked(string nonce) => _open.ContainsKey(nonce);

    /// <summary>Takes a proven answer.</summary>
    /// <param name="known">What was known of the node; null: nothing.</param>
    /// <param name="to">Where the node is asked.</param>
    /// <returns>Its services, as far as they are known now; what is left is to be asked for (<see cref="Questions"/>).</returns>
    public IReadOnlyList<Service> Take(Answer answer, (NodeDescription Node, int State)? known, IPEndPoint to)
    {
        int state = answer.Presence!.State;
        IReadOnlyList<Service> services = answer.Node.Services;
        if (_open.Remove(answer.Nonce, out Rest? rest))
        {
            if (rest.Id != answer.Node.Id || rest.State != state)
            {
                // It has changed meanwhile, and is asked anew as a whole.
                Open(new Rest(answer.Node.Id, state, [], to));
                return known?.Node.Services ?? [];
            }
            services = [.. rest.Before, .. services];
        }
        bool isWhole = services.Count >= answer.ServiceCount || answer.Node.Services.Count == 0 || services.Count >= MostServices;
        if (isWhole)
        {
            return services;
        }
        if (rest is null && known is { } before && before.State == state && before.Node.Services.Count >= answer.ServiceCount)
        {
            return before.Node.Services; // nothing has changed, and the rest is known
        }
        Open(new Rest(answer.Node.Id, state, services, to));
        return services;
    }

    /// <summary>What is to be asked now.</summary>
    public IReadOnlyList<(IPEndPoint To, Query Question)> Questions(string mesh)
    {
        var questions = new List<(IPEndPoint, Query)>();
        foreach ((string nonce, Rest rest) in _open.ToList())
        {
            if (rest.Tries > 0 && clock.GetElapsedTime(rest.AskedAt) < s_pause)
            {
                continue;
            }
            if (rest.Tries++ == MostTries)
            {
                _open.Remove(nonce);
                continue;
            }
            rest.AskedAt = clock.GetTimestamp();
            questions.Add((rest.To, new Query(nonce, 0, [mesh], new NodeFilter(Nodes: [rest.Id]), Skip: rest.Before.Count,
                Round: rest.Tries)));
        }
        return questions;
    }

    private void Open(Rest rest)
    {
        if (_open.Count >= MostOpen)
        {
            _open.Clear();
        }
        _open[Query.NewNonce()] = rest;
    }
}
