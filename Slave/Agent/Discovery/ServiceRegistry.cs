using Bootstrap.Protocol.Discovery;

namespace Bootstrap.Agent.Discovery;

/// <summary>All services that this node offers: its own, those of files, and those that programs published. Thread-safe.</summary>
/// <param name="own">The Slave's.</param>
public sealed class ServiceRegistry(IReadOnlyList<Service> own)
{
    /// <summary>Of all programs together.</summary>
    private const int MaximumPublished = 256;

    /// <summary>Of the programs of one user that is not root.</summary>
    internal const int MaximumOfUser = 32;

    private readonly Lock _lock = new();
    private readonly Dictionary<string, (Service Service, object Owner, uint User)> _published = [];
    private IReadOnlyList<Service> _files = [];

    /// <summary>Something was added, withdrawn or changed.</summary>
    public event Action? Changed;

    /// <summary>What is offered now.</summary>
    public IReadOnlyList<Service> Current
    {
        get
        {
            lock (_lock)
            {
                return [.. own, .. _files, .. _published.Values.Select(p => p.Service)];
            }
        }
    }

    /// <summary>Puts what the files say in the place of what they said before. What programs published stays.</summary>
    public void SetFiles(IReadOnlyList<Service> services)
    {
        lock (_lock)
        {
            _files = services;
        }
        Changed?.Invoke();
    }

    /// <summary>Offers a service for a program. The same program may publish it anew with other parameters.</summary>
    /// <param name="service">Its name is as it is told.</param>
    /// <param name="owner">The program's connection.</param>
    /// <param name="user">Whose program it is.</param>
    /// <returns>Null, or why not.</returns>
    public string? Publish(Service service, object owner, uint user = 0)
    {
        lock (_lock)
        {
            if (own.Any(s => s.Id == service.Id))
            {
                return $"'{service.Id}' is the node's own service";
            }
            if (_files.Any(s => s.Id == service.Id))
            {
                return $"'{service.Id}' is offered by a file of the services folder";
            }
            if (_published.TryGetValue(service.Id, out (Service, object Owner, uint) there) && there.Owner != owner)
            {
                return $"another program offers '{service.Id}'";
            }
            if (_published.Count >= MaximumPublished && there.Owner is null)
            {
                return $"there are {MaximumPublished} services already, which is as many as there may be";
            }
            if (user != 0 && there.Owner is null && _published.Values.Count(p => p.User == user) >= MaximumOfUser)
            {
                return $"your programs offer {MaximumOfUser} services already, which is as many as a user may";
            }
            _published[service.Id] = (service, owner, user);
        }
        Changed?.Invoke();
        return null;
    }

    /// <summary>Withdraws one service of a program; false if it has none of that name.</summary>
    public bool Unpublish(string id, object owner)
    {
        lock (_lock)
        {
            if (!_published.TryGetValue(id, out (Service, object Owner, uint) there) || there.Owner != owner)
            {
                return false;
            }
            _published.Remove(id);
        }
        Changed?.Invoke();
        return true;
    }

    /// <summary>The program is gone, and with it its services.</summary>
    public void Withdraw(object owner)
    {
        int removed;
        lock (_lock)
        {
            string[] ids = [.. _published.Where(p => p.Value.Owner == owner).Select(p => p.Key)];
            removed = ids.Count(_published.Remove);
        }
        if (removed > 0)
        {
            Changed?.Invoke();
        }
    }
}
