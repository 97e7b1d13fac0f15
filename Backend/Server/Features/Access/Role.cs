namespace Bootstrap.Server.Features.Access;

/// <summary>What a person may do; each role may do what those before it may.</summary>
public enum Role
{
    /// <summary>Sees everything but secrets, changes nothing.</summary>
    Viewer,

    /// <summary>Names, installs and reboots nodes; has jobs, schedules, images and files.</summary>
    Operator,

    /// <summary>Says who may sign in, and how the appliance serves its network.</summary>
    Admin,
}
