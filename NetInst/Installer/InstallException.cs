namespace Bootstrap.Installer;

/// <summary>An installation cannot be done; the message says why in one sentence.</summary>
/// <param name="mayPass">True where another attempt may go better (the network, the appliance); false where it cannot (a card that is too
/// small).</param>
/// <param name="final">True where what was ordered is at fault: the profile asks for what the image has not.</param>
public sealed class InstallException(string message, bool mayPass = false, Exception? inner = null, bool final = false)
    : Exception(message, inner)
{
    /// <summary>No attempt goes better until what the appliance stores is mended.</summary>
    public bool Final { get; } = final;

    /// <summary>Whether trying again makes sense.</summary>
    public bool MayPass { get; } = mayPass;
}
