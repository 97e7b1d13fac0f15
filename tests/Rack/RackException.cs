namespace Bootstrap.Rack;

/// <summary>The rack cannot do what was asked. The message is one sentence for people.</summary>
public sealed class RackException(string message) : Exception(message);
