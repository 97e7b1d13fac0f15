namespace Bootstrap.Installer;

/// <summary>An installation cannot be done; the message says why in one sentence.</summary>
/// <param name="mayPass">True where another attempt may go better (the network, the appliance); false where it cannot (a card that is too small).</param>
public sealed class InstallException(string message, bool mayPass = false, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether trying again makes sense.</summary>
    public bool MayPass { get; } = mayPass;
}
