namespace Bootstrap.Protocol;

/// <summary>The ports of an appliance where nothing else was set.</summary>
public static class ServicePorts
{
    /// <summary>Web page and API, HTTPS.</summary>
    public const int Https = 8443;

    /// <summary>Boot files, chunks and programs, plain HTTP: all of it is verified by digest.</summary>
    public const int Http = 8080;

    /// <summary>Enrolment and the node link, TLS with certificates on both sides.</summary>
    public const int Link = 8444;

    /// <summary>A node's status, TLS: WebSockets of those who watch, and metrics.</summary>
    public const int Status = 8445;

    /// <summary>The other end of a benchmark between two nodes, TCP; open for as long as the benchmark may take.</summary>
    public const int Benchmark = 8446;

    /// <summary>Relays of discovery among each other, TCP, TLS with certificates on both sides.</summary>
    public const int Relay = 1337;

    /// <summary>Discovery, UDP.</summary>
    public const int Discovery = 1337;
}
