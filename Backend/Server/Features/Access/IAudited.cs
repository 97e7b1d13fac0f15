namespace Bootstrap.Server.Features.Access;

/// <summary>An endpoint's answer that says itself what was done, for the audit log.</summary>
internal interface IAudited
{
    /// <summary>In a few words.</summary>
    string Describe();
}
