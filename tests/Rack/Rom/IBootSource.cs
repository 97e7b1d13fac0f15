namespace Bootstrap.Rack.Rom;

/// <summary>Where firmware takes its files from: the card, or the network.</summary>
internal interface IBootSource
{
    /// <summary>For the log: "card" or "network".</summary>
    string Name { get; }

    /// <summary>A whole file; null if there is none.</summary>
    Task<byte[]?> FetchAsync(string path);

    /// <summary>Asks whether a file is there, without fetching it.</summary>
    Task<bool> ExistsAsync(string path);
}
