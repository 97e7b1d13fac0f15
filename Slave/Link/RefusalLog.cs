namespace Bootstrap.Link;

/// <summary>Says once of each place, not at every attempt, that whoever is there is not our appliance.</summary>
internal sealed class RefusalLog(Action<string> log)
{
    private readonly HashSet<ApplianceEndpoint> _refused = [];

    public void Add(ApplianceEndpoint endpoint, string reason)
    {
        lock (_refused)
        {
            if (_refused.Add(endpoint))
            {
                log($"{endpoint.Address} answers as a Bootstrap appliance but {reason}: ignored");
            }
        }
    }

    public bool Contains(ApplianceEndpoint endpoint)
    {
        lock (_refused)
        {
            return _refused.Contains(endpoint);
        }
    }
}
