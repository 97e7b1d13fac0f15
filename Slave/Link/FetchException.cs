namespace Bootstrap.Link;

/// <summary>Something could not be fetched from the appliance; the message says what, from where and why.</summary>
/// <param name="mayPass">True where another attempt may go better; false where the appliance itself holds spoilt bytes.</param>
public sealed class FetchException(string message, bool mayPass) : IOException(message)
{
    /// <summary>Whether trying again later makes sense.</summary>
    public bool MayPass { get; } = mayPass;
}
