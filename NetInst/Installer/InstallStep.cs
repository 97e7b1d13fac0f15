namespace Bootstrap.Installer;

/// <summary>One step of an installation. A dry run shows the very list that a real run executes.</summary>
/// <param name="Phase">The word that people see: <c>checking</c>, <c>writing</c> …</param>
/// <param name="Text">What it does: "write the image".</param>
/// <param name="Writes">Whether it changes the disk, or what the appliance has; a dry run leaves such steps out.</param>
/// <param name="RunAsync">Does it.</param>
public sealed record InstallStep(string Phase, string Text, bool Writes, Func<CancellationToken, Task> RunAsync);
