namespace Bootstrap.Server.Features.Jobs;

/// <summary>Parameters of jobs that have none.</summary>
internal sealed record NoParameters;
